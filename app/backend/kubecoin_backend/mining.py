"""Proof of work: a nonce for which SHA-256 of `<wallet>:<nonce>` starts with four hex zeros."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from threading import Lock
from time import monotonic

ATTEMPTS = 1 << 20
"""Nonces tried at most, about half a second of work. One in 65,536 fits, so that a search fails
once in nine million times."""

LOOK_AT_CLOCK_EVERY = 4096
"""Nonces between two looks at the clock, a few milliseconds."""

# One search at a time: each keeps the interpreter busy, and several would starve the threads that
# serve other requests.
_miner = Lock()


class NothingFound(Exception):
    """The search ended without a nonce: no time was left for it, or bad luck."""


@dataclass(frozen=True)
class Proof:
    """A nonce and the hash (64 hex digits) that proves it."""

    nonce: int
    hash: str


def mine(wallet_id: str, deadline: float) -> Proof:
    """Searches a nonce from a random start on.

    Raises `NothingFound` if it found none by `deadline` (of `monotonic()`).
    """
    if not _miner.acquire(timeout=max(deadline - monotonic(), 0.0)):
        raise NothingFound
    try:
        return _search(wallet_id, secrets.randbelow(1 << 62), deadline)
    finally:
        _miner.release()


def _search(wallet_id: str, first: int, deadline: float) -> Proof:
    prefix = hashlib.sha256(f"{wallet_id}:".encode())
    for nonce in range(first, first + ATTEMPTS):
        if (nonce - first) % LOOK_AT_CLOCK_EVERY == 0 and monotonic() >= deadline:
            break
        attempt = prefix.copy()
        attempt.update(b"%d" % nonce)
        if attempt.digest().startswith(b"\0\0"):
            return Proof(nonce, attempt.hexdigest())
    raise NothingFound
