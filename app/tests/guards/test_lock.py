"""Two servers on one data directory: what the manifest's lock prevents, and what it must not stand in the way of."""

import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stack.container import Container, Security

from .pods import Manifest, Server

Start = Callable[[Container], Server]

WAITING = "waiting up to"
REFUSED = "another server still runs on this volume and holds"


def unlocked(pod: Container) -> Container:
    """The pod without the lock: straight to the image's entrypoint."""
    return replace(pod, command=None)


def refuses(server: Server) -> bool:
    """Whether a pod gave up its wait for the lock with the line that says so, and never started a server."""
    status = server.running.wait()
    logs = server.running.logs()
    return status == 1 and REFUSED in logs and "starting PostgreSQL" not in logs


def write_until_killed(server: Server) -> set[int]:
    """Kills the server in the middle of writing; the rows that it had acknowledged."""
    session = server.session()

    def insert(numbers: range) -> None:
        session.send(*(f"INSERT INTO marks VALUES ({number}) RETURNING number" for number in numbers))

    acknowledged = set()
    for number in range(100):
        insert(range(number, number + 1))
        acknowledged.add(session.answer())
    insert(range(100, 1000))
    acknowledged.add(session.answer())
    server.running.kill()
    return acknowledged | session.rest()


def test_without_the_lock_rows_are_lost(pod: Container, start: Start) -> None:
    """What the lock is for, and that a test here sees it."""
    first = start(unlocked(pod)).wait_ready()
    second = start(unlocked(pod)).wait_ready()
    first.mark(1)
    second.mark(2)
    first.running.stop()
    second.running.stop()
    assert start(unlocked(pod)).wait_ready().marks() < {1, 2}


@pytest.mark.parametrize(
    "security",
    [
        pytest.param(None, id="as the manifest has it"),
        pytest.param(Security(user=999, group=999, groups=(999,)), id="as a plain user"),
    ],
)
def test_the_second_takes_over_once_the_first_has_stopped(
    pod: Container, start: Start, volume: Path, security: Security | None
) -> None:
    if security:
        # What fsGroup does to a volume.
        subprocess.run(["chown", "-R", "999:999", volume], check=True)
        pod = replace(pod, security=security)
    first = start(pod).wait_ready()
    second = start(pod)
    second.running.wait_for_log(WAITING)
    first.mark(1)
    assert first.running.stop() == 0
    second.wait_ready().mark(2)
    assert second.running.stop() == 0
    assert start(pod).wait_ready().marks() == {1, 2}


def test_nothing_acknowledged_is_lost_when_the_first_is_killed(pod: Container, start: Start) -> None:
    first = start(pod).wait_ready()
    second = start(pod)
    second.running.wait_for_log(WAITING)
    acknowledged = write_until_killed(first)
    assert len(acknowledged) > 100
    assert acknowledged <= second.wait_ready().marks()


def test_the_second_fails_when_the_first_stays(pod: Container, start: Start, manifest: Manifest) -> None:
    first = start(pod).wait_ready()
    assert refuses(start(manifest.impatient(pod)))
    first.mark(1)
    assert first.marks() == {1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_waiting_pod_stops_when_told(pod: Container, start: Start, number: signal.Signals) -> None:
    """Process 1 of a container gets no signal that it does not handle."""
    start(pod).wait_ready()
    second = start(pod)
    second.running.wait_for_log(WAITING)
    second.running.send(number)
    assert second.running.wait() == 143


def test_a_server_slow_to_stop_keeps_the_lock(pod: Container, start: Start, manifest: Manifest) -> None:
    first = start(pod).wait_ready()
    first.mark(1)
    first.running.send(signal.SIGSTOP)
    first.running.send(signal.SIGINT)
    assert refuses(start(manifest.impatient(pod)))
    first.running.send(signal.SIGCONT)
    assert first.running.wait() == 0
    assert start(manifest.impatient(pod)).wait_ready().marks() == {1}


def test_a_backend_that_outlives_its_postmaster_keeps_the_lock(
    pod: Container, start: Start, manifest: Manifest
) -> None:
    """As where the pod shares one PID namespace among its containers: the postmaster is not the first process there."""
    assert pod.command
    beside = ["/bin/sh", "-c", '"$@" & exec sleep infinity', "sh", *pod.command]
    first = start(replace(pod, command=beside)).wait_ready()
    first.mark(1)
    session = first.session()
    session.send("SELECT pg_backend_pid()")
    backend = session.answer()
    first.running.send(signal.SIGSTOP, backend)
    first.running.send(signal.SIGKILL, first.postmaster())
    assert refuses(start(manifest.impatient(pod)))
    first.running.send(signal.SIGKILL, backend)
    session.rest()
    assert start(pod).wait_ready().marks() == {1}
