"""Runs the exchange for a person or a benchmark: `python -m stack`, in the folder above.

Prints one line of JSON with the addresses, and runs until its input ends or SIGTERM comes.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import ExitStack
from typing import NoReturn

from .backend import Backend
from .nginx import DIST, Frontend
from .postgres import CREATE_TABLE, PostgreSQL


def main() -> None:
    signal.signal(signal.SIGTERM, _exit)
    with ExitStack() as running:
        postgres = running.enter_context(PostgreSQL())
        with postgres.connect() as connection:
            connection.execute(CREATE_TABLE)
        backend = running.enter_context(Backend(postgres.environment()))
        addresses = {"backend": backend.url, "database": postgres.url}
        if DIST.exists():
            addresses["page"] = running.enter_context(Frontend(backend.url)).url
        print(json.dumps(addresses), flush=True)
        sys.stdin.read()


def _exit(*_: object) -> NoReturn:
    raise SystemExit


main()
