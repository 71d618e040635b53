"""Faults that the tests make on purpose: sessions in the way, addresses and resolvers that are silent."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import psycopg

from stack import wait_until
from stack.postgres import PostgreSQL


@contextlib.contextmanager
def locked_wallet(server: PostgreSQL, wallet_id: str) -> Iterator[psycopg.Connection]:
    """Holds the lock of a wallet's row, so that changes of it wait."""
    with server.connect() as connection, connection.transaction():
        connection.execute("SELECT FROM wallets WHERE id = %s FOR UPDATE", (wallet_id,))
        yield connection


def wait_for_waiter(database: psycopg.Connection) -> int:
    """The process id of the server's session that waits for a lock, once there is one."""
    row = wait_until(
        lambda: database.execute("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone(),
        "a statement that waits for a lock",
        timeout=1.0,
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


class Resolver:
    """A DNS server that knows one name, and a way to make a process ask it.

    `answer` is the address that the name has: None for a name that does not exist. While `silent`
    is set there are no answers at all. Needs root, for port 53 and for the mount.
    """

    NAME = "postgres-headless.kubecoin.test"
    ADDRESS = "127.53.53.53"

    def __init__(self) -> None:
        self.answer: str | None = None
        self.silent = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.ADDRESS, 53))
        self._configuration = tempfile.NamedTemporaryFile("w", prefix="kubecoin-resolv-")  # noqa: SIM115
        self._configuration.write(f"nameserver {self.ADDRESS}\noptions timeout:1 attempts:1\n")
        self._configuration.flush()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Resolver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # An empty packet ends the thread.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", (self.ADDRESS, 53))
        self._thread.join()
        self._socket.close()
        self._configuration.close()

    @property
    def within(self) -> list[str]:
        """Put before a command: it then finds this resolver in its own /etc/resolv.conf."""
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, self._configuration.name]

    def _serve(self) -> None:
        while True:
            packet, client = self._socket.recvfrom(4096)
            if not packet:
                return
            if not self.silent:
                self._socket.sendto(self._response(packet), client)

    def _response(self, packet: bytes) -> bytes:
        query = dns.message.from_wire(packet)
        response = dns.message.make_response(query, recursion_available=True)
        (question,) = query.question
        if self.answer is None or question.name.to_text(omit_final_dot=True) != self.NAME:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.A:
            response.answer.append(dns.rrset.from_text(question.name, 5, "IN", "A", self.answer))
        return response.to_wire()
