"""The vocabulary from which a simulated company draws its regions, buyers, products and content."""

from __future__ import annotations

CHANNELS = ("ctv", "brand-search", "nonbrand-search", "linkedin", "display")
CTV, BRAND, NONBRAND, LINKEDIN, DISPLAY = range(5)

REGIONS = (
    "ile-de-france", "nord", "grand-est", "bretagne", "occitanie", "rhone-alpes", "paca", "aquitaine",
    "bavaria", "rhineland", "saxony", "benelux", "wallonia", "romandie", "lombardy", "lazio",
    "catalonia", "andalusia", "nordics", "ireland", "scotland", "london", "midlands", "portugal",
)  # fmt: skip

FIRST_NAMES = (
    "Jean", "Claire", "Luc", "Amélie", "Hélène", "Thomas", "Nadia", "Olivier", "Sophie", "Karim",
    "James", "Emma", "Oliver", "Grace", "Priya", "Daniel", "Hannah", "Marcus", "Ingrid", "Lars",
    "Giulia", "Marco", "Lucía", "Pablo", "Katrin", "Stefan", "Anouk", "Pieter", "Fiona", "Rhys",
)  # fmt: skip
LAST_NAMES = (
    "Dupont", "Lefèvre", "Moreau", "Girard", "Benali", "Rousseau", "Smith", "Okafor", "Patel", "Walker",
    "Hughes", "Murphy", "Lindqvist", "Jensen", "Rossi", "Ferrari", "García", "Navarro", "Müller", "Schneider",
    "Janssen", "De Vries", "Kowalski", "Novák", "Campbell", "O'Brien", "Mercier", "Fontaine", "Baker", "Nguyen",
)  # fmt: skip
NAME_STARTS = ("Al", "Bor", "Cen", "Dor", "Eg", "Fen", "Gal", "Hel", "Is", "Jor", "Kel", "Lum", "Mar", "Nov", "Or",
               "Pel", "Quin", "Rav", "Sol", "Tam", "Ul", "Ver", "Wes", "Yor", "Zan")  # fmt: skip
NAME_ENDS = ("tis", "ane", "mont", "vex", "dia", "ric", "lux", "sen", "tor", "via", "nel", "gard", "phy", "ium", "co")
LEGAL_FORMS = ("SA", "SAS", "GmbH", "Ltd", "BV", "AB", "SpA")
FREEMAIL = ("gmail.example", "outlook.example", "orange.example")

ROLES = ("cio", "ciso", "cfo", "procurement", "legal", "operations", "engineering", "marketing", "it_manager",
         "data_protection", "ceo")  # fmt: skip
PLATFORMS = ("website", "webinar", "linkedin", "docs", "newsletter", "partner_portal")
PRODUCTS = ("Atlas", "Beacon", "Cadence", "Delta", "Ember", "Fathom")
COMPETITORS = ("Nordwind", "Perceptra", "Kaizo", "Tessella")

REASONS = ("price", "competitor", "fit", "security", "compliance", "roi_proof", "approval", "slow_response")
STAGES = ("discovery", "evaluation", "verification", "contract")

# title, kind, topics, stage
ASSETS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("Why we started", "video", ("brand",), "learn"),
    ("A day with our founders", "video", ("brand",), "learn"),
    ("The story of our name", "blog", ("brand",), "learn"),
    ("Les coulisses de l'équipe", "video", ("brand",), "learn"),
    ("Ten trends for the year", "blog", ("brand", "market"), "learn"),
    ("Our values in action", "blog", ("brand",), "learn"),
    ("Podcast: the road so far", "video", ("brand",), "learn"),
    ("Getting started guide", "blog", ("product",), "learn"),
    ("Feature tour", "video", ("product",), "learn"),
    ("Guide d'intégration", "blog", ("product", "fit"), "compare"),
    ("Integration matrix", "document", ("fit",), "compare"),
    ("How we compare", "document", ("competitor",), "compare"),
    ("Battlecard for the field", "document", ("competitor",), "verify"),
    ("Pricing explained", "document", ("price",), "compare"),
    ("Total cost of ownership", "roi_calculator", ("price", "roi_proof"), "verify"),
    ("ROI calculator", "roi_calculator", ("roi_proof",), "verify"),
    ("Case study: payback in five months", "case_study", ("roi_proof",), "verify"),
    ("Étude de cas: un industriel régional", "case_study", ("roi_proof", "fit"), "verify"),
    ("Security white paper", "compliance", ("security",), "verify"),
    ("Penetration test summary", "compliance", ("security",), "verify"),
    ("Questionnaire sécurité prérempli", "compliance", ("security",), "verify"),
    ("Data protection annex", "compliance", ("compliance",), "verify"),
    ("Certification overview", "compliance", ("compliance", "security"), "verify"),
    ("Hébergement et conformité", "compliance", ("compliance",), "verify"),
    ("Board memo template", "document", ("approval",), "verify"),
    ("Approval checklist for buyers", "document", ("approval",), "compare"),
    ("What happens after you call", "blog", ("slow_response",), "compare"),
    ("Support charter", "document", ("slow_response",), "verify"),
    ("Customer summit highlights", "video", ("brand", "market"), "learn"),
    ("Market map", "blog", ("market",), "learn"),
    ("Webinar: first steps", "webinar", ("product",), "learn"),
)  # fmt: skip
