"""Whether the database takes a new connection, and what that connection may do.

The pool keeps its connections for long, so it does not see when the database takes no new ones.
"""

from __future__ import annotations

import logging
import re
import socket
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic

import psycopg

from .database import IDENTIFY, Connection, Server, Unavailable, parameters
from .settings import Settings

log = logging.getLogger("kubecoin.connection")

BUDGET = 0.75
"""Seconds from a request's start to its answer: many times what a new connection takes, and less
than other requests may spend, so that behind some that spend it all this one is in time too."""

PATIENCE_WHILE_BUSY = 0.3
"""Seconds that a request waits for the attempt of another: long enough for several that succeed, one
after the other, short enough that requests behind one without an answer do not use up the threads."""

_REASONS = (
    ("password", r"password authentication failed"),
    ("not-admitted", r"no pg_hba\.conf entry|pg_hba\.conf rejects connection"),
    ("no-connection-left", r"too many clients already|connection slots are reserved|too many connections for"),
    ("no-login", r"is not permitted to log in"),
    ("database-closed", r"is not currently accepting connections|permission denied for database"),
    ("starting", r"the database system is "),
    ("no-role", r'role ".*" does not exist'),
    ("no-database", r'database ".*" does not exist'),
    ("no-primary", r"session is read-only|server is in hot standby mode"),
    ("name", r"failed to resolve host"),
    ("refused", r"Connection refused"),
    ("timeout", r"timeout|timed out"),
)
"""The words of PostgreSQL, libpq or psycopg by which a reason is known; the first that is found.

libpq tells no SQLSTATE of an attempt to connect, only words. They may be of several attempts, one
for each address of each host, so what a server said comes before what no server said. That a server
takes no writes comes last of what servers say: each standby says so, whatever the primary says.
"""

_EXAMINE = """
SELECT current_user::text AS role,
    current_setting('transaction_read_only')::boolean AS read_only,
    pg_is_in_recovery() AS in_recovery,
    to_regclass('wallets') IS NOT NULL AS wallets_table,
    ARRAY(
        SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) WITH ORDINALITY AS needed (privilege, number)
        WHERE NOT has_table_privilege(to_regclass('wallets'), privilege) ORDER BY number
    ) AS missing_privileges
"""
"""Without the table, whether a privilege is there is null, and none is missing."""


class Refused(Unavailable):
    """A new connection cannot be opened or used; `reason` is one word of the API's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Examination:
    """What a new connection found."""

    server: Server
    role: str
    read_only: bool
    """Whether a transaction may not write unless it asks for that."""
    in_recovery: bool
    wallets_table: bool
    missing_privileges: list[str]
    """Those on the table that the backend needs and the role has not."""


class _Attempt(Future[Examination]):
    """One new connection, under way or over."""

    name_found = False
    """Whether a name of the host was resolved, so that the rest is up to the database."""


class Examiner:
    """Opens new connections, one at a time, each as the pool opens its own."""

    def __init__(self, settings: Settings) -> None:
        self._parameters = parameters(settings)
        self._under_way = Lock()

    def examine(self, deadline: float) -> Examination:
        """What a new connection finds before `deadline` (of `monotonic()`).

        Raises `Refused`, and logs it unless the connection was not even tried.
        """
        patience = min(deadline - monotonic(), PATIENCE_WHILE_BUSY)
        if not self._under_way.acquire(timeout=max(patience, 0.0)):
            raise Refused("busy")
        attempt = self._start(deadline)
        try:
            return attempt.result(max(deadline - monotonic(), 0.0))
        except TimeoutError as error:
            raise _refused("timeout" if attempt.name_found else "name", "no answer in time") from error
        except psycopg.Error as error:
            raise _refused(reason_of(error), error) from error
        except UnicodeError as error:
            # What can be no name at all; psycopg then tries none of the others either.
            raise _refused("name", error) from error

    def _start(self, deadline: float) -> _Attempt:
        """Starts an attempt, in a thread of its own: nothing ends the search for a host's name before its time."""
        attempt = _Attempt()

        def run() -> None:
            try:
                self._find_name()
                attempt.name_found = True
                attempt.set_result(self._look(deadline))
            except Exception as error:
                attempt.set_exception(error)
            finally:
                self._under_way.release()

        try:
            Thread(target=run, name="connection", daemon=True).start()
        except BaseException:
            self._under_way.release()
            raise
        return attempt

    def _find_name(self) -> None:
        """Resolves the host's names until one is found.

        psycopg resolves them again: while it does, it does not tell that from connecting.
        """
        failed: psycopg.OperationalError | None = None
        for host in self._parameters["host"].split(","):
            if not host or host.startswith("/"):
                return  # the folder of a socket
            try:
                socket.getaddrinfo(host, self._parameters["port"], proto=socket.IPPROTO_TCP)
                return
            except OSError as error:
                failed = psycopg.OperationalError(f"failed to resolve host {host!r}: {error}")
        if failed:
            raise failed

    def _look(self, deadline: float) -> Examination:
        connection = Connection.connect(**self._parameters)
        try:
            connection.deadline = deadline
            (server,) = connection.execute(IDENTIFY).fetchall()
            (row,) = connection.execute(_EXAMINE).fetchall()
        finally:
            connection.close()
        return Examination(server=Server(**server), **row)


def reason_of(error: Exception) -> str:
    """The reason for which a connection failed, as the words of the error tell it."""
    return next((reason for reason, words in _REASONS if re.search(words, str(error))), "other")


def _refused(reason: str, error: object) -> Refused:
    # The words hold addresses and roles: they are for the log alone.
    log.info("new connection failed", extra={"fields": {"reason": reason, "error": str(error).strip()}})
    return Refused(reason)
