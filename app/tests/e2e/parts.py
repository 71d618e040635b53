"""The running parts of an exchange, and their absence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stack.backend import Backend
from stack.nginx import Frontend
from stack.postgres import PostgreSQL


@dataclass(frozen=True)
class Stack:
    """An exchange whose parts a test may take away."""

    postgres: PostgreSQL
    backend: Backend
    frontend: Frontend


@contextmanager
def away(part: PostgreSQL | Backend) -> Iterator[None]:
    """Stops one part, and starts it again at the end."""
    part.stop()
    try:
        yield
    finally:
        part.start()
