"""Which engagement records are the same human being, and which account does that person belong to?

An account comes from its name on the record, else from the e-mail domain once a domain is known; free-mail domains
say nothing. Within an account two identities are one person when they share an address, or when their names agree up
to order, initials, accents and small typing errors. Only the records given are used; nothing is looked up.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

FREE_MAIL = frozenset({
    "aol.com", "free.fr", "gmail.com", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "hotmail.fr",
    "icloud.com", "laposte.net", "live.com", "live.fr", "mac.com", "mail.com", "me.com", "msn.com", "orange.fr",
    "outlook.com", "outlook.fr", "proton.me", "protonmail.com", "sfr.fr", "wanadoo.fr", "web.de", "yahoo.co.uk",
    "yahoo.com", "yahoo.fr", "yandex.com", "ymail.com",
})  # fmt: skip

_SHARED_BOXES = frozenset({"admin", "contact", "hello", "info", "marketing", "office", "sales", "team"})
_CLOSE = 0.86  # similarity of two names above which a typing error is the likelier explanation
_LEGAL = frozenset(
    {"ab", "ag", "bv", "co", "corp", "gmbh", "inc", "llc", "ltd", "nv", "plc", "sa", "sas", "sarl", "se"}
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as one record names them."""

    person: str
    email: str | None = None
    account: str | None = None


def fold(text: str) -> str:
    """Lower case without accents; everything but letters and digits becomes one space."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", " ", plain).strip()


def domain_of(email: str | None) -> str | None:
    """Company domain of an address: without subdomains, None for free mail and for what is no address."""
    if not email or email.count("@") != 1:
        return None
    host = email.rsplit("@", 1)[1].strip().lower().rstrip(".")
    if host in FREE_MAIL or "." not in host:
        return None
    labels = host.split(".")
    deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in {"ac", "co", "com", "gov", "org"}
    return ".".join(labels[-3:] if deep else labels[-2:])


def account_key(name: str) -> str:
    """Comparable form of an account's name or id: folded, without a legal form."""
    words = fold(name.removeprefix("account:")).split()
    kept = [word for word in words if word not in _LEGAL]
    return " ".join(kept or words)


def accounts_of(identities: Sequence[Identity]) -> list[str | None]:
    """Account of each identity as first written, or None when neither name nor domain tells."""
    written: dict[str, str] = {}
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for identity in identities:
        domain = domain_of(identity.email)
        if identity.account:
            key = account_key(identity.account)
            written.setdefault(key, identity.account)
            if domain:
                votes[domain][key] += 1
    return [_account_of(identity, written, votes) for identity in identities]


def _account_of(identity: Identity, written: dict[str, str], votes: dict[str, Counter[str]]) -> str | None:
    if identity.account:
        return written[account_key(identity.account)]
    domain = domain_of(identity.email)
    if domain is None:
        return None
    if domain in votes:
        return written[min(votes[domain].items(), key=lambda item: (-item[1], item[0]))[0]]
    stem = domain.split(".")[0]
    named = [key for key in written if key.replace(" ", "") == stem]
    return written[named[0]] if named else domain


def people_of(identities: Sequence[Identity]) -> list[int]:
    """A number per identity of one account, equal for records of the same person; numbers follow first appearance."""
    numbers: list[int] = []
    for index, identity in enumerate(identities):
        same = [numbers[earlier] for earlier in range(index) if same_person(identities[earlier], identity)]
        numbers.append(min(same) if same else index)
        for other in set(same):
            numbers = [numbers[index] if number == other else number for number in numbers]
    order = {number: rank for rank, number in enumerate(dict.fromkeys(numbers))}
    return [order[number] for number in numbers]


def same_person(a: Identity, b: Identity) -> bool:
    """Whether two identities of one account are one person; a shared mailbox (info@, sales@) proves nothing."""
    if a.email and b.email and _mailbox(a.email) == _mailbox(b.email) and not _shared(a.email):
        return True
    return any(_names_agree(left, right) for left in _names(a) for right in _names(b))


def _mailbox(email: str) -> str:
    local, _, host = email.strip().lower().partition("@")
    return f"{local.split('+')[0]}@{host}"


def _shared(email: str) -> bool:
    return email.partition("@")[0].lower() in _SHARED_BOXES


def _names(identity: Identity) -> Iterable[tuple[str, ...]]:
    """Names a record gives: as written, and as the address spells it (`ana.lopez@`)."""
    name = re.sub(r"^person:", "", identity.person)
    words = tuple(fold(name.split("@")[0]).split())
    if len(words) > 1:
        yield words
    if identity.email and not _shared(identity.email):
        spelled = tuple(re.sub(r"\d+", " ", fold(identity.email.split("@")[0])).split())
        if len(spelled) > 1:
            yield spelled


def _names_agree(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    if a == b or sorted(a) == sorted(b):
        return True
    if _initials_agree(a, b) or _initials_agree(b, a):
        return True
    if any(len(word) == 1 for word in (*a, *b)):
        return False
    same_first = SequenceMatcher(None, a[0], b[0]).ratio() >= _CLOSE
    same_last = SequenceMatcher(None, a[-1], b[-1]).ratio() >= _CLOSE
    return same_first and same_last and a[0][0] == b[0][0]


def _initials_agree(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    """`a lopez` or `lopez a` against `ana lopez`."""
    initials = [word for word in short if len(word) == 1]
    names = [word for word in short if len(word) > 1]
    return len(initials) == 1 and len(names) == 1 and names[0] == full[-1] and full[0].startswith(initials[0])
