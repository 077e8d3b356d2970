"""What sales people write when a deal is lost: French and English, often vague, sometimes wrong."""

from __future__ import annotations

import numpy as np

_TEXTS: dict[str, tuple[str, ...]] = {
    "price": (
        "Budget too tight, they said we are 20% above the alternative.",
        "Trop cher pour eux, le CFO a bloqué sur le montant.",
        "Could not get below their ceiling even with the volume discount.",
        "Le prix par utilisateur ne passe pas, ils renégocient avec leur fournisseur actuel.",
        "Lost on cost. Procurement wanted a number we could not give.",
    ),
    "competitor": (
        "Went with {competitor}, they had been in talks since spring.",
        "{competitor} a remporté l'appel d'offres, meilleure démo semble-t-il.",
        "Champion preferred {competitor} from a previous job.",
        "Ils partent chez {competitor}, bundle avec un autre module.",
    ),
    "fit": (
        "No connector for their ERP, integration effort judged too high.",
        "Il manque la gestion multi-entités, bloquant pour eux.",
        "Use case too different, they need on-premise batch processing.",
        "Pas d'intégration avec leur outil interne, le DSI a tranché.",
    ),
    "security": (
        "CISO wanted a pen test report and we had nothing recent to show.",
        "Le RSSI bloque: pas de réponse au questionnaire sécurité sous deux semaines.",
        "Security review failed on SSO and encryption at rest questions.",
        "Questions sécurité restées sans document à jour, ils ont arrêté.",
        "They asked three times for our security white paper.",
    ),
    "compliance": (
        "Legal stopped it at signature: no data processing annex they could accept.",
        "Conformité RGPD non démontrée, le DPO a dit non à la dernière réunion.",
        "Auditors required a certification we could not evidence in time.",
        "Contrat prêt, mais l'hébergement des données n'est pas conforme à leur politique.",
        "Fell over in the last week on regulatory sign-off.",
    ),
    "roi_proof": (
        "CFO asked for payback proof from a similar customer, we had none.",
        "Pas de cas client chiffré, le comité n'a pas cru au retour sur investissement.",
        "Could not show a business case with numbers, value not demonstrated.",
        "Le ROI est resté théorique, ils veulent des références chiffrées.",
        "Liked the product but no hard evidence of savings.",
    ),
    "approval": (
        "Board did not approve before year end, project parked.",
        "Le comité d'investissement a repoussé, pas de sponsor assez haut.",
        "Stuck in internal sign-off, our champion lost patience.",
    ),
    "slow_response": (
        "We took nine days to answer their questions, they moved on.",
        "Réponse trop lente de notre côté, ils ont signé ailleurs.",
        "Nobody called back after the second demo.",
    ),
}
_OFF_TOPIC = (
    "See e-mail thread.",
    "cf. CR de réunion",
    "Contact left the company.",
    "Nice people, call again in Q3!",
    "À relancer après les vacances.",
    "n/a",
)
_FAULT_RATE = 0.3


def lost_because(rng: np.random.Generator, reason: str, competitor: str) -> tuple[str | None, str | None]:
    """What the CRM shows as (loss_reason, note) for a true `reason`: wrong, empty or off-topic in 30 % of cases."""
    note = _text(rng, reason, competitor)
    if rng.random() >= _FAULT_RATE:
        return reason, note
    match int(rng.integers(0, 4)):
        case 0:
            return _other(rng, reason), note
        case 1:
            return None, None
        case 2:
            return reason, _OFF_TOPIC[int(rng.integers(len(_OFF_TOPIC)))]
        case _:
            wrong = _other(rng, reason)
            return wrong, _text(rng, wrong, competitor)


def _text(rng: np.random.Generator, reason: str, competitor: str) -> str:
    texts = _TEXTS[reason]
    return texts[int(rng.integers(len(texts)))].format(competitor=competitor)


def _other(rng: np.random.Generator, reason: str) -> str:
    others = [name for name in _TEXTS if name != reason]
    return others[int(rng.integers(len(others)))]
