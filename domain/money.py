"""Money: integer minor units plus currency; people and vendors write decimal major units."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from domain.errors import InputError

# ISO 4217 currencies whose minor unit is not 1/100.
_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_MOST = 2**63 - 1
"""What a database holds as an integer."""


def exponent(currency: str) -> int:
    """Decimal digits of the minor unit of `currency` (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


def to_minor(amount: float | str | Decimal, currency: str) -> int:
    """Major units to integer minor units, half to even. Raises InputError for what is no finite number of 64 bits."""
    try:
        minor = (Decimal(str(amount)) * 10 ** exponent(currency)).to_integral_value(rounding=ROUND_HALF_EVEN)
        if abs(minor) > _MOST:
            raise InvalidOperation
        return int(minor)
    except ArithmeticError as error:
        raise InputError(f"`{amount!r}` is no amount of money. Write a decimal number such as 1200.50.") from error


def to_major(minor: int, currency: str) -> Decimal:
    """Integer minor units to an exact decimal of major units."""
    return Decimal(minor).scaleb(-exponent(currency))


def money_text(minor: int, currency: str) -> str:
    """Money as people read it: `1,204.50 EUR`, without minor digits where it is whole and 100 or more."""
    major = to_major(minor, currency)
    whole = abs(major) >= 100 and major == major.to_integral_value()
    return f"{major:,.{0 if whole else exponent(currency)}f} {currency}"


def convert(minor: int, source: str, target: str, rates: Mapping[str, float]) -> int:
    """Minor units of `source` in minor units of `target`; `rates` are what one major unit is worth in `target`.

    Raises InputError when the rate is missing.
    """
    if source == target:
        return minor
    if source not in rates:
        raise InputError(f"No rate leads from {source} to {target}. Add `{source}` to `fx`.")
    return to_minor(to_major(minor, source) * Decimal(str(rates[source])), target)
