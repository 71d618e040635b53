"""Calls of a running backend, each with the time it took."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Thread
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

PROMISE = 2.0
"""Seconds within which every request is answered."""

BEAT = 0.02
"""Seconds between two looks at how late this machine is."""


class Lateness(Thread):
    """How long in all this process was kept from running when it wanted to: no time of the backend's."""

    def __init__(self) -> None:
        super().__init__(name="lateness", daemon=True)
        self.seconds = 0.0
        self.start()

    def run(self) -> None:
        while True:
            began = monotonic()
            sleep(BEAT)
            self.seconds += max(monotonic() - began - 2 * BEAT, 0.0)


LATENESS = Lateness()


@dataclass(frozen=True)
class Answer:
    """What came back, how long after the call."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The slug of the problem."""
        assert self.headers["Content-Type"] == "application/problem+json"
        return str(self.json["type"]).removeprefix("urn:kubecoin:problem:")


@dataclass(frozen=True)
class Caller:
    """Makes calls, each on a connection of its own, and holds every one to the promise."""

    url: str

    def __call__(self, method: str, path: str, body: object = None) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        started, late = monotonic(), LATENESS.seconds
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"}
            )
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        answer = Answer(response.status, response.headers, content, monotonic() - started)
        late = LATENESS.seconds - late
        assert answer.seconds < PROMISE + late, f"{method} {path}: {answer.status} after {answer.seconds:.2f} s"
        return answer


def together(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """The answers to calls that are all made at the same time."""
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(call) for call in calls]]
