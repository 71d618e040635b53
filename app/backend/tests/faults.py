"""Faults that the tests make on purpose: sessions in the way, addresses that are silent, names that move."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import Callable, Iterator

import psycopg

from stack import wait_until
from stack.nameserver import NameServer
from stack.postgres import PostgreSQL


def in_three(scenario: Callable[[], None]) -> None:
    """Plays a scenario that has a fraction of a second to spare: a busy machine may spoil it once, not thrice."""
    for _ in range(2):
        with contextlib.suppress(AssertionError):
            return scenario()
    return scenario()


@contextlib.contextmanager
def locked_wallet(server: PostgreSQL, wallet_id: str) -> Iterator[psycopg.Connection]:
    """Holds the lock of a wallet's row, so that changes of it wait."""
    with server.connect() as connection, connection.transaction():
        connection.execute("SELECT FROM wallets WHERE id = %s FOR UPDATE", (wallet_id,))
        yield connection


def wait_for_waiter(database: psycopg.Connection, waits: str = "wait_event_type = 'Lock'") -> int:
    """The process id of the server's session that waits, by default for a lock, once there is one."""
    row = wait_until(
        lambda: database.execute(f"SELECT pid FROM pg_stat_activity WHERE {waits}").fetchone(),
        f"a statement with {waits}",
        # Its own deadline ends such a statement before.
        timeout=5.0,
        every=0.01,
    )
    return int(row[0])


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A loopback port that answers no attempt to connect: its queue is full and nobody takes any out."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        for _ in range(4):
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        probe = sockets.enter_context(socket.socket())
        probe.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            probe.connect(("127.0.0.1", port))
            raise RuntimeError("the black hole answers")
        yield port


@contextlib.contextmanager
def read_only_server(port: int) -> Iterator[PostgreSQL]:
    """A second server, on the same port of another address, whose sessions take no writes, as a standby's."""
    server = PostgreSQL()
    server.address, server.port = "127.0.0.2", port
    with server:
        with server.connect() as connection:
            connection.execute("ALTER DATABASE kubecoin SET default_transaction_read_only = on")
        yield server


@contextlib.contextmanager
def no_standby(database: psycopg.Connection) -> Iterator[None]:
    """Commits wait for a synchronous standby that never comes, soon after this begins."""
    try:
        database.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        database.execute("SELECT pg_reload_conf()")
        yield
    finally:
        database.execute("ALTER SYSTEM RESET synchronous_standby_names")
        database.execute("SELECT pg_reload_conf()")


@contextlib.contextmanager
def asking(server: NameServer) -> Iterator[list[str]]:
    """Put before a command: it then finds only this name server in its own /etc/resolv.conf.

    Needs root, for the mount.
    """
    with tempfile.NamedTemporaryFile("w", prefix="kubecoin-resolv-") as configuration:
        configuration.write(f"nameserver {server.address}\noptions timeout:1 attempts:1\n")
        configuration.flush()
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        yield ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, configuration.name]
