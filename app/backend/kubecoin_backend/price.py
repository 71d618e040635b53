"""The price of one coin: a function of time alone, so that every replica tells the same.

Value noise in whole cents: each octave joins pseudo-random values at fixed distances smoothly;
slow octaves are the trend, fast ones the jitter. Integers only, because the last digit of a
floating sine may differ between machines.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

INTERVAL = 2
"""Seconds between two points."""

MIDDLE = 12_500
OCTAVES = ((600, 4_200), (150, 1_900), (40, 800), (10, 350), (2, 150))
"""Distance of an octave's random values in points, and how far it moves the price in cents.

Together they move it by at most 74.00: it stays between 51.00 and 199.00."""

_SCALE = 1 << 16


@dataclass(frozen=True)
class Point:
    """The price from `at` on, for `INTERVAL` seconds."""

    at: datetime
    price: Decimal


def now() -> Point:
    """The point of this moment."""
    return at(datetime.now(UTC))


def at(moment: datetime) -> Point:
    """The point in force at a moment."""
    return _point(int(moment.timestamp()) // INTERVAL)


def history(last: Point, count: int) -> list[Point]:
    """The `count` points up to and including `last`, oldest first."""
    tick = int(last.at.timestamp()) // INTERVAL
    return [_point(earlier) for earlier in range(tick - count + 1, tick + 1)]


def _point(tick: int) -> Point:
    cents = MIDDLE + sum(_noise(tick, distance, swing) for distance, swing in OCTAVES)
    return Point(
        at=datetime.fromtimestamp(tick * INTERVAL, UTC),
        price=Decimal(cents).scaleb(-2),
    )


def _noise(tick: int, distance: int, swing: int) -> int:
    """A value in -swing..=swing."""
    index, step = divmod(tick, distance)
    before, after = _lattice(distance, index), _lattice(distance, index + 1)
    t = step * _SCALE // distance
    smooth = t * t * (3 * _SCALE - 2 * t) // _SCALE**2
    return (before * (_SCALE - smooth) + after * smooth) * swing // _SCALE**2


@lru_cache(maxsize=4096)
def _lattice(distance: int, index: int) -> int:
    """A pseudo-random value in -_SCALE..=_SCALE."""
    digest = hashlib.sha256(f"kubecoin:{distance}:{index}".encode()).digest()
    return int.from_bytes(digest[:8]) % (2 * _SCALE + 1) - _SCALE
