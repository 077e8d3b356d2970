"""Weighted phrases, French and English, by which a loss note names its reason.

Patterns run on folded text (lower case, no accents). Weight 3 settles the matter, 2 points to it, 1 only supports.
A label is given from 2 on, so single weak words never decide.
"""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "price", "competitor", "fit", "security", "compliance", "roi_proof", "slow_response", "approval", "no_decision",
    "unknown",
]  # fmt: skip

PHRASES: dict[Reason, tuple[tuple[int, str], ...]] = {
    "price": (
        (3, r"too expensive"),
        (3, r"trop cher\w*"),
        (3, r"over (?:their )?budget"),
        (3, r"hors budget"),
        (3, r"(?:purely|purement) (?:cost|prix)[- ]?\w*"),
        (
            3,
            (
                r"(?:decision|choice|decided|chose|lost|perdu\w*)[^.;]{0,40}\b(?:on|to|by|sur le|sur) (?:the )?"
                r"(?:price|cost|prix|initial outlay)"
            ),
        ),
        (2, r"\d+ ?% discount"),
        (2, r"remise de \d+"),
        (2, r"(?:spending|budget) cap"),
        (2, r"budget (?:was|is|est|etait) (?:fixed|limite\w*|fige)"),
        (
            2,
            (
                r"\b(?:price|pricing|prix|tarifs?)\b[^.;]{0,30}\b(?:high\w*|eleve\w*|objection|gap|pressure|issue|"
                r"concern\w*)"
            ),
        ),
        (2, r"cheaper"),
        (2, r"moins cher\w*"),
        (2, r"undercut"),
        (2, r"lower (?:price|quote|bid)"),
        (2, r"(?:budget|price) (?:constraint|objection)\w*"),
        (2, r"initial outlay"),
        (2, r"upfront cost"),
        (2, r"cout initial"),
        (2, r"no budget"),
        (2, r"pas de budget"),
        (2, r"budget insuffisant"),
        (1, r"\b(?:price|pricing|prix|discount|remise|cost|cout|budget|quote|devis)\b"),
    ),
    "competitor": (
        (
            3,
            (
                r"(?:chose|selected|picked|went with|awarded|signed with|prefer\w*|moved to|lost to) "
                r"(?:[a-z0-9]+ ){0,6}(?:competitor|rival|vendor|incumbent)"
            ),
        ),
        (
            3,
            (
                r"(?:a choisi|ont choisi|prefere|retenu|parti\w* chez|signe chez|perdu\w* (?:contre|face a)) "
                r"(?:[a-z0-9]+ ){0,4}(?:concurrent\w*|concurrence|rival|editeur en place)"
            ),
        ),
        (
            3,
            r"\b(?:selected|awarded|went with|signed with) (?!us\b|our\b)[^.;]{2,60} (?:for|to|over|instead)\b",
        ),
        (2, r"competitor\w*"),
        (2, r"concurrent\w*"),
        (2, r"concurrence"),
        (2, r"incumbent"),
        (2, r"rival\b"),
        (2, r"competing (?:offer|bid|vendor)"),
        (1, r"(?:two|three)[- ]vendor"),
        (1, r"shortlist"),
        (1, r"competing quote"),
        (1, r"preferred vendor"),
    ),
    "fit": (
        (
            3,
            (
                r"(?:missing|lack\w*|lacks|without) (?:[a-z0-9]+ ){0,3}(?:feature|integration|functionality|"
                r"capability|support for)"
            ),
        ),
        (3, r"(?:manque\w*|absence|pas) (?:[a-z0-9]+ ){0,3}(?:fonction\w*|integration|connecteur)"),
        (3, r"not compatible"),
        (3, r"incompatib\w*"),
        (3, r"hard requirement"),
        (3, r"was not available in our"),
        (3, r"not available within"),
        (3, r"interoperab\w*"),
        (2, r"compatib\w*"),
        (2, r"integration (?:gap|issue|problem|time)\w*"),
        (2, r"(?:product|technical|feature) (?:gap|fit|mismatch)"),
        (2, r"proprietary"),
        (2, r"ne repond(?:ait)? pas au besoin"),
        (2, r"does not (?:meet|fit|support)"),
        (2, r"did not (?:meet|fit|support)"),
        (1, r"feature\w*"),
        (1, r"fonctionnalite\w*"),
        (1, r"requirement\w*"),
        (1, r"latency"),
        (1, r"roadmap"),
    ),
    "security": (
        (
            3,
            (
                r"security (?:review|questionnaire|audit|concern\w*|requirement\w*|team|assessment|issue\w*|"
                r"objection\w*|question\w*)"
            ),
        ),
        (3, r"(?:revue|questionnaire|audit|exigence\w*|equipe|question\w*) (?:de |sur la )?securite"),
        (3, r"\brssi\b"),
        (3, r"\bciso\b"),
        (3, r"pen(?:etration)? ?test"),
        (3, r"test d intrusion"),
        (2, r"\bsecurity\b"),
        (2, r"\bsecurite\b"),
        (2, r"encryption"),
        (2, r"chiffrement"),
        (2, r"data breach"),
        (2, r"fuite de donnees"),
        (2, r"\bsso\b"),
        (2, r"\bsaml\b"),
        (2, r"vulnerab\w*"),
    ),
    "compliance": (
        (3, r"\b(?:gdpr|rgpd|soc ?2|iso ?27001|hipaa|dora|nis ?2|hds|pci(?: dss)?|secnumcloud)\b"),
        (
            3,
            (
                r"(?:compliance|conformite|regulatory|reglementaire|certification) (?:[a-z]+ ){0,3}(?:gap|review|"
                r"officer|team|requirement|submission|issue|concern|document|exige|manquant|bloqu)\w*"
            ),
        ),
        (2, r"\bcompliance\b"),
        (2, r"\bconformite\b"),
        (2, r"certif(?:ied|ication)\w*"),
        (2, r"certifie\w*"),
        (2, r"regulat\w*"),
        (2, r"reglement\w*"),
        (2, r"data residency"),
        (2, r"\bdpa\b"),
        (2, r"\bce marking\b"),
    ),
    "roi_proof": (
        (
            3,
            (
                r"(?:no|without|lack of|missing|unclear|unproven|could not (?:prove|show)|prove\w*|proof of|"
                r"justify\w*) (?:[a-z]+ ){0,3}\b(?:roi|return on investment|business case|payback)\b"
            ),
        ),
        (
            3,
            (
                r"(?:pas de|sans|manque de|preuve\w* (?:de|du)|prouver|demontrer|justifier) (?:[a-z]+ ){0,3}"
                r"(?:roi|retour sur investissement|rentabilite|business case)"
            ),
        ),
        (
            3,
            (
                r"\b(?:roi|retour sur investissement|business case)\b[^.;]{0,30}\b(?:unclear|unproven|not "
                r"(?:shown|proven|clear)|pas (?:clair|prouve|demontre))"
            ),
        ),
        (2, r"\broi\b"),
        (2, r"return on investment"),
        (2, r"retour sur investissement"),
        (2, r"business case"),
        (2, r"case stud(?:y|ies)"),
        (2, r"etude\w* de cas"),
        (2, r"proof of value"),
        (2, r"references? client"),
    ),
    "slow_response": (
        (
            3,
            (
                r"(?:did not|never|failed to|n a (?:pas|jamais)|slow to|too slow|too long to) (?:[a-z]+ ){0,2}"
                r"(?:respond|reply|answer|call back|follow up|repond\w*|rappel\w*)"
            ),
        ),
        (3, r"(?:slow|delayed|late|no) (?:response|reply|follow[- ]?up|quote)"),
        (3, r"gone dark"),
        (3, r"reponse\w* (?:trop )?(?:lente|tardive)\w*"),
        (3, r"sans reponse"),
        (3, r"temps de reponse"),
        (2, r"responsiveness"),
        (2, r"reactivite"),
        (2, r"relance\w*[^.;]{0,20}sans"),
        (2, r"(?:days|weeks|jours|semaines) (?:without|sans) (?:reply|answer|reponse|contact)"),
    ),
    "approval": (
        (3, r"(?:approval|sign[- ]?off|validation) (?:process|cycle|chain|circuit)"),
        (3, r"(?:two|three|multi)[- ]tier approval"),
        (3, r"circuit de validation"),
        (3, r"(?:project|programme?|projet) [^.;]{0,40}(?:placed on hold|put on hold|mis en pause)"),
        (3, r"procurement (?:freeze|board)"),
        (3, r"sponsor (?:changed|left)"),
        (3, r"reorgani[sz]ation\w*"),
        (2, r"internal approval"),
        (2, r"required sign[- ]?off"),
        (2, r"comite d (?:achat|investissement)"),
        (2, r"steering committee"),
        (2, r"legal review"),
        (2, r"juridique bloqu\w*"),
        (2, r"approval\w* (?:delay|took)\w*"),
    ),
    "no_decision": (
        (3, r"no decision"),
        (3, r"sans decision"),
        (3, r"status quo"),
        (3, r"did nothing"),
        (3, r"no longer a priority"),
        (3, r"plus (?:une |la )?priorite"),
        (3, r"(?:project|projet|initiative) (?:was |a ete )?(?:cancel\w*|annule\w*|abandon\w*|shelved)"),
        (2, r"ghosted"),
        (2, r"went (?:dark|silent|quiet)"),
        (2, r"plus de nouvelles"),
        (2, r"postponed"),
        (2, r"reporte\w* (?:sine die|a l an)"),
        (2, r"next (?:fiscal )?year"),
        (2, r"l annee prochaine"),
        (2, r"internal solution"),
        (2, r"en interne"),
    ),
}
