"""Starts the real parts of the exchange on free loopback ports, for tests and benchmarks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str, timeout: float = 60.0, every: float = 0.05) -> T:
    """Polls `condition` until it is truthy and returns its value.

    Raises `TimeoutError` naming `what` after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what}")
        time.sleep(every)
    return value
