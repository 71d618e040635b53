"""Exact amounts: `Decimal` inside, strings with two decimals outside, never a float."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")

# DECIMAL(15,2): at most 13 digits before the point.
_AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,2})?")


class InvalidAmount(Exception):
    """The text is no positive amount with at most 2 decimals that fits DECIMAL(15,2)."""


def parse(value: object) -> Decimal:
    """The amount that a client wrote.

    Only a string of ASCII digits counts: a JSON number would already have been a float. Raises
    `InvalidAmount`.
    """
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise InvalidAmount
    amount = Decimal(value)
    if not amount:
        raise InvalidAmount
    return amount


def text(amount: Decimal) -> str:
    """The amount with its two decimals, like `1000.00`."""
    return f"{amount:.2f}"


def cost(coins: Decimal, price: Decimal) -> Decimal:
    """What coins are worth at a price, rounded to the nearest cent, half a cent up."""
    return (coins * price).quantize(CENT, ROUND_HALF_UP)
