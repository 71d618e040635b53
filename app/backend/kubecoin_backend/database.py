"""Statements with a deadline: whatever the database does, the caller has an answer in time.

Every connection is in autocommit mode: a statement is a transaction of its own.
"""

from __future__ import annotations

import logging
import select
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from .settings import Settings

log = logging.getLogger("kubecoin.database")

POOL_SIZE = 8

CONNECT_TIMEOUT = 2
"""Seconds for one attempt to connect (the least that psycopg takes); never in a request's time,
because the threads of the pool connect."""

RECONNECT_EVERY = 0.1
"""Seconds between two attempts to connect, constant, where the pool's own wait would grow."""

PATIENCE_WHILE_AWAY = 0.3
"""Seconds that a statement waits for a connection while the database is known to be away: long
enough that the first request after its return succeeds, short enough that requests do not pile up
in front of the threads."""

SERVER_TIMEOUT_MS = 1000
"""After so long the server itself gives up a statement: unlike the client's deadline, that leaves
no doubt about the outcome."""

Params = Mapping[str, object]


class Unavailable(Exception):
    """The statement was not carried out, or may be repeated without harm."""


class OutcomeUnknown(Unavailable):
    """The statement may have been carried out, or may be lost again."""


class ConnectionLost(OutcomeUnknown):
    """The connection was lost with the statement on its way."""


class TableMissing(Exception):
    """The table that the statement names does not exist."""


class Reachability:
    """Whether the database can be reached, as the latest attempt to use it showed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._away_since: float | None = None
        self._found_at = 0.0

    @property
    def away(self) -> bool:
        """Whether the latest attempt failed."""
        return self._away_since is not None

    def lost(self, reason: object, began: float | None = None) -> None:
        """An attempt failed; the first failure of an absence is logged. One that began before a success is old."""
        with self._lock:
            if self._away_since is not None or (began is not None and began <= self._found_at):
                return
            self._away_since = monotonic()
        log.warning("database away", extra={"fields": {"reason": str(reason).strip()}})

    def found(self) -> None:
        """An attempt succeeded; the end of an absence is logged."""
        self._found_at = monotonic()
        if self._away_since is None:
            return
        with self._lock:
            since, self._away_since = self._away_since, None
        if since is not None:
            seconds = round(monotonic() - since, 3)
            log.info("database is back", extra={"fields": {"away_seconds": seconds}})


_SYNC_REP_WAIT = "SyncRepWaitForLSN"
"""The function of PostgreSQL that waits, in a commit, for the synchronous standby."""


class Connection(psycopg.Connection[DictRow]):
    """A connection whose every wait for the server ends at `deadline` (of `monotonic()`)."""

    deadline: float | None = None
    unconfirmed = False
    """Whether the server gave up the wait for its synchronous standby. The change is made then, but
    a standby that takes over may not have it. The server says so in a warning, and answers success."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        # Without a deadline it is the pool that asks, as patiently as it connects.
        remaining = CONNECT_TIMEOUT if self.deadline is None else max(self.deadline - monotonic(), 0.0)
        return super().wait(gen, interval, remaining)

    @property
    def stale(self) -> bool:
        """Whether the server closed the connection, or said something, while it was idle."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    @property
    def lost(self) -> bool:
        """Whether the statement's end was not seen: connection broken, or deadline over."""
        return self.broken or self.pgconn.transaction_status == TransactionStatus.ACTIVE


class _PoolConnection(Connection):
    """A connection whose opening shows whether the database can be reached."""

    @classmethod
    def connect(  # type: ignore[override]
        cls, conninfo: str = "", *, reachability: Reachability, **kwargs: Any
    ) -> _PoolConnection:
        began = monotonic()
        try:
            connection = super().connect(conninfo, **kwargs)
        except psycopg.Error as error:
            reachability.lost(error, began)
            raise
        reachability.found()
        connection.add_notice_handler(connection._note)
        return connection

    def _note(self, notice: errors.Diagnostic) -> None:
        # The function's name is the same in every language, and in both of the warnings.
        if notice.source_function == _SYNC_REP_WAIT:
            self.unconfirmed = True


def parameters(settings: Settings) -> dict[str, Any]:
    """What every connection to the database is opened with.

    psycopg resolves the host's names anew for each attempt, keeps no answer, and tries one address
    after the other until a server takes the connection and is as `target_session_attrs` asks.
    """
    return {
        "host": settings.db_host,
        "port": settings.db_port,
        "dbname": settings.db_name,
        "user": settings.db_user,
        "password": settings.db_password,
        "target_session_attrs": settings.db_target_session_attrs,
        "application_name": settings.pod,
        "connect_timeout": CONNECT_TIMEOUT,
        "options": f"-c TimeZone=UTC -c statement_timeout={SERVER_TIMEOUT_MS} -c lock_timeout={SERVER_TIMEOUT_MS}",
        "autocommit": True,
        "row_factory": dict_row,
    }


class Database:
    """A pool of connections that opens without the database being there."""

    def __init__(self, settings: Settings) -> None:
        self.reachability = Reachability()
        self.pool: ConnectionPool[_PoolConnection] = ConnectionPool(
            kwargs=parameters(settings) | {"reachability": self.reachability},
            connection_class=_PoolConnection,
            min_size=POOL_SIZE,
            max_size=POOL_SIZE,
            reconnect_timeout=RECONNECT_EVERY,
            # The pool gives up after reconnect_timeout; its check starts over.
            reconnect_failed=ConnectionPool.check,
            name="database",
            open=True,
        )

    def session(self, deadline: float) -> Session:
        """Statements that all end before `deadline` (of `monotonic()`)."""
        return Session(self, deadline)

    def close(self) -> None:
        """Closes the connections that are not in use."""
        self.pool.close()


@dataclass(frozen=True)
class Session:
    """The statements of one request, under one deadline.

    Every method raises `Unavailable` (or `OutcomeUnknown`), `TableMissing`, or psycopg's error
    for what the statement itself did wrong.
    """

    _database: Database
    _deadline: float

    def query(self, statement: str, params: Params | None = None) -> list[DictRow]:
        """Runs a statement that may be repeated, and repeats it if its connection was lost.

        An unconfirmed one is not repeated: it would find its own change there, and wait for nothing.
        """
        try:
            return self._run(statement, params)
        except ConnectionLost:
            pass
        try:
            return self._run(statement, params)
        except ConnectionLost as error:
            raise Unavailable(str(error)) from error

    def execute(self, statement: str, params: Params | None = None) -> list[DictRow]:
        """Runs a statement at most once."""
        return self._run(statement, params)

    def _run(self, statement: str, params: Params | None) -> list[DictRow]:
        connection = self._connection()
        connection.unconfirmed = False
        try:
            rows = connection.execute(statement, params).fetchall()
            if connection.unconfirmed:
                raise OutcomeUnknown("the wait for the synchronous standby was cancelled")
        except errors.UndefinedTable as error:
            raise TableMissing(error.diag.message_primary) from error
        except errors.ReadOnlySqlTransaction as error:
            # Perhaps the primary is another server now, which new connections find. This server answers,
            # and somebody may want it so: that is no absence, and nothing to try again.
            self._database.pool.drain()
            raise Unavailable(error.diag.message_primary) from error
        except psycopg.OperationalError as error:
            if not connection.lost:
                raise Unavailable(error.diag.message_primary) from error
            self._database.reachability.lost(error)
            # The idle connections lead to the same server.
            self._database.pool.drain()
            kind = OutcomeUnknown if connection.unconfirmed else ConnectionLost
            raise kind(str(error)) from error
        finally:
            connection.deadline = None
            self._database.pool.putconn(connection)
        self._database.reachability.found()
        return rows

    def _connection(self) -> _PoolConnection:
        pool, reachability = self._database.pool, self._database.reachability
        while True:
            patience = self._deadline - monotonic()
            if patience <= 0:
                # That says nothing of the database.
                raise Unavailable("no time is left")
            if reachability.away:
                patience = min(patience, PATIENCE_WHILE_AWAY)
            try:
                connection = pool.getconn(patience)
            except PoolTimeout as error:
                reachability.lost(error)
                raise Unavailable("no connection") from error
            if not connection.stale:
                connection.deadline = self._deadline
                return connection
            connection.close()
            pool.putconn(connection)


@dataclass(frozen=True)
class Server:
    """Which PostgreSQL server answered."""

    name: str | None
    """The name of its pod: the setting `kubecoin.pod`, otherwise `cluster_name`, which Patroni takes for its own."""
    started_at: datetime
    system_identifier: str
    """Of the data directory, from its initialisation on: 64 bits, as decimal digits."""


IDENTIFY = (
    "SELECT coalesce(nullif(current_setting('kubecoin.pod', true), ''), nullif(current_setting('cluster_name'), ''))"
    " AS name,"
    " pg_postmaster_start_time() AS started_at,"
    " (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier"
)
"""Its columns are the fields of `Server`."""


def identify(session: Session) -> Server:
    """The server that answers now."""
    (row,) = session.query(IDENTIFY)
    return Server(**row)
