"""Money: integer minor units plus currency; people and vendors write decimal major units."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from domain.errors import InputError

# ISO 4217 currencies whose minor unit is not 1/100.
_EXPONENTS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3, "JOD": 3, "OMR": 3}


def exponent(currency: str) -> int:
    """Decimal digits of the minor unit of `currency` (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


def to_minor(amount: float | str | Decimal, currency: str) -> int:
    """Major units to integer minor units, half to even. Raises InputError for what is no finite number."""
    try:
        value = Decimal(str(amount))
        return int((value * 10 ** exponent(currency)).to_integral_value(rounding=ROUND_HALF_EVEN))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise InputError(f"`{amount!r}` is no amount of money. Write a decimal number such as 1200.50.") from error


def to_major(minor: int, currency: str) -> Decimal:
    """Integer minor units to an exact decimal of major units."""
    return Decimal(minor).scaleb(-exponent(currency))
