"""The database away in every way it can be: answers stay quick and honest, recovery needs nothing.

`Caller` holds every single answer to the promise of 2 seconds.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import count, cycle
from time import monotonic
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from calls import Answer, Caller, together
from faults import asking, black_hole, in_three, locked_wallet, no_standby, wait_for_waiter
from kubecoin_backend.app import create_app
from kubecoin_backend.database import POOL_SIZE, ConnectionLost, OutcomeUnknown, Unavailable
from kubecoin_backend.settings import Settings
from stack import wait_until
from stack.backend import Backend
from stack.nameserver import NameServer
from stack.postgres import PostgreSQL

ANNA = "/api/wallets/anna"
RESET = f"{ANNA}/reset"
UNKNOWN = "not known whether"


def assert_away(answer: Answer) -> None:
    assert (answer.status, answer.problem) == (503, "database-unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def assert_recovers(caller: Caller) -> None:
    wait_until(lambda: caller("GET", "/api/wallets").status == 200, "recovery", timeout=5)
    # From then on it is not a matter of luck.
    answers = together([partial(caller, "GET", "/api/wallets")] * 8)
    assert [answer.status for answer in answers] == [200] * 8


def assert_busy_but_answering(caller: Caller) -> None:
    """More calls at once than there are threads, twice: all refused in time, the probes answered."""
    for _ in range(2):
        calls = [partial(caller, "GET", path) for path in (ANNA, "/api/wallets", "/api/info")] * 12
        calls += [partial(caller, "PUT", ANNA), partial(caller, "POST", RESET)] * 2
        for answer in together(calls):
            assert_away(answer)
        for probe in ("/healthz", "/readyz", "/api/price", "/metrics"):
            assert caller("GET", probe).status == 200


@pytest.fixture
def server(wallets_table: PostgreSQL) -> Iterator[PostgreSQL]:
    """The shared server, to be left in any state."""
    yield wallets_table
    wallets_table.restore()


@dataclass
class Trader:
    """Buys without pause with a wallet of its own, and knows what the wallet must hold."""

    caller: Caller
    path: str
    wallet: dict[str, Any] = field(default_factory=dict)
    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0

    def trade(self, stop: threading.Event) -> None:
        self.wallet = self.caller("PUT", self.path).json
        for side in cycle(("buy", "buy", "sell")):
            if stop.is_set():
                return
            answer = self.caller("POST", f"{self.path}/trades", {"side": side, "coins": "0.01"})
            if answer.status == 200:
                self.acknowledged += 1
                self.settle(side, answer.json)
                continue
            assert_away(answer)
            if UNKNOWN in answer.json["detail"]:
                self.unknown += 1
                self.look()
            else:
                self.refused += 1

    def settle(self, side: str, trade: dict[str, Any]) -> None:
        sign = 1 if side == "buy" else -1
        coins = Decimal(self.wallet["coins"]) + sign * Decimal(trade["coins"])
        balance = Decimal(self.wallet["balance"]) - sign * Decimal(trade["amount"])
        assert (trade["wallet"]["coins"], trade["wallet"]["balance"]) == (str(coins), str(balance))
        self.wallet = trade["wallet"]

    def look(self) -> None:
        """After a trade with an unknown outcome: it happened once, or not at all."""
        now = wait_until(lambda: self.caller("GET", self.path), "an answer").json
        while "coins" not in now:
            now = self.caller("GET", self.path).json
        difference = abs(Decimal(now["coins"]) - Decimal(self.wallet["coins"]))
        assert difference in (Decimal("0.00"), Decimal("0.01"))
        self.wallet = now


def test_no_acknowledged_trade_is_lost_when_the_server_stops_under_load(
    server: PostgreSQL, caller: Caller, backend: Backend
) -> None:
    traders = [Trader(caller, f"/api/wallets/t{number}") for number in range(6)]
    pid, stop = backend.pid, threading.Event()

    def acknowledged() -> int:
        return sum(trader.acknowledged for trader in traders)

    def wait_for_trades() -> None:
        target = acknowledged() + 30
        wait_until(lambda: acknowledged() >= target, "trades", timeout=15)

    with ThreadPoolExecutor(len(traders)) as threads:
        running = [threads.submit(trader.trade, stop) for trader in traders]
        try:
            wait_for_trades()
            for end in (partial(server.stop, "fast"), partial(server.stop, "immediate"), server.kill):
                end()
                wait_until(lambda: caller("GET", ANNA).status == 503, "the outage to show", timeout=5)
                server.start()
                wait_for_trades()
        finally:
            stop.set()
        for trading in running:
            trading.result(timeout=10)

    for trader in traders:
        assert caller("GET", trader.path).json == trader.wallet
    assert sum(trader.refused + trader.unknown for trader in traders) > 0
    assert backend.pid == pid
    assert "Booting worker" not in backend.log.partition("Booting worker")[2]


def test_the_first_request_after_a_restart_succeeds(server: PostgreSQL, caller: Caller) -> None:
    def restart() -> None:
        server.stop()
        server.start()
        # Every connection of the pool is stale now; not even a statement that must not be repeated notices.
        assert caller("POST", RESET).status == 200

    caller("PUT", ANNA)
    in_three(restart)


def test_the_first_request_after_an_outage_succeeds(server: PostgreSQL, caller: Caller) -> None:
    def outage() -> None:
        server.stop()
        assert_away(caller("POST", RESET))
        server.start()
        assert caller("POST", RESET).status == 200

    caller("PUT", ANNA)
    in_three(outage)


def test_a_paused_server(server: PostgreSQL, caller: Caller) -> None:
    caller("PUT", ANNA)
    server.pause()
    assert_busy_but_answering(caller)
    server.resume()
    assert_recovers(caller)


def test_a_change_sent_to_a_paused_server_has_an_unknown_outcome(server: PostgreSQL, caller: Caller) -> None:
    caller("PUT", ANNA)
    server.pause()
    first, second = caller("POST", RESET), caller("POST", RESET)
    assert UNKNOWN in first.json["detail"]
    assert "Nothing was changed" in second.json["detail"]


def test_a_server_that_is_not_there_at_the_start(server: PostgreSQL) -> None:
    server.stop()
    with Backend(server.environment()) as backend:
        caller = Caller(backend.url)
        assert_busy_but_answering(caller)
        server.start()
        assert_recovers(caller)


def test_an_address_that_swallows_connections() -> None:
    with black_hole() as port:
        environment = {"DB_HOST": "127.0.0.1", "DB_PORT": str(port), "DB_PASSWORD": "secret"}
        with Backend(environment) as backend:
            caller = Caller(backend.url)
            assert_busy_but_answering(caller)
            answers = together([partial(caller, "GET", "/api/connection")] * 40)
            assert sorted(answer.json["reason"] for answer in answers) == ["busy"] * 39 + ["timeout"]


def test_the_name_is_resolved_anew(server: PostgreSQL) -> None:
    name = "postgres-headless.kubecoin.test"
    environment = server.environment() | {"DB_HOST": name}
    with NameServer() as names, asking(names) as within, Backend(environment, within) as backend:
        caller = Caller(backend.url)
        assert_busy_but_answering(caller)

        names.addresses[f"{name}."] = server.address
        assert_recovers(caller)
        pid = backend.pid

        server.stop()
        server.address = "127.0.0.2"
        server.start()
        assert_away(caller("GET", ANNA))
        names.addresses[f"{name}."] = server.address
        assert_recovers(caller)
        assert backend.pid == pid

        names.silent = True
        server.stop()
        assert_busy_but_answering(caller)
        server.start()
        names.silent = False
        assert_recovers(caller)


def test_a_change_cut_off_by_a_crash_is_not_repeated(
    server: PostgreSQL, caller: Caller, database: psycopg.Connection
) -> None:
    caller("PUT", ANNA)
    with ThreadPoolExecutor(1) as thread, contextlib.ExitStack() as lock:
        lock.enter_context(contextlib.suppress(psycopg.OperationalError))  # the crash ends the lock's session too
        lock.enter_context(locked_wallet(server, "anna"))
        call = thread.submit(caller, "POST", f"{ANNA}/trades", {"side": "buy", "coins": "1"})
        wait_for_waiter(database)
        server.kill()
    answer = call.result()
    assert_away(answer)
    assert UNKNOWN in answer.json["detail"]
    server.start()
    assert_recovers(caller)
    assert caller("GET", ANNA).json["coins"] == "0.00"


def test_a_read_cut_off_is_repeated(caller: Caller, database: psycopg.Connection, server: PostgreSQL) -> None:
    caller("PUT", ANNA)
    with ThreadPoolExecutor(1) as thread, server.connect() as blocker:
        with blocker.transaction():
            blocker.execute("LOCK TABLE wallets")
            call = thread.submit(caller, "GET", ANNA)
            waiter = wait_for_waiter(database)
            database.execute("SELECT pg_terminate_backend(%s, 1000)", (waiter,))
        assert call.result().status == 200


def test_connections_closed_by_the_server_are_not_used(client: FlaskClient, database: psycopg.Connection) -> None:
    def closed() -> None:
        database.execute("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name <> ''")
        for _ in range(10):
            assert client.post(RESET).status_code == 200

    client.put(ANNA)
    in_three(closed)


def test_a_statement_that_cannot_get_its_lock(server: PostgreSQL, caller: Caller, database: psycopg.Connection) -> None:
    def locked() -> None:
        with locked_wallet(server, "anna"):
            answer = caller("POST", RESET)
        assert_away(answer)
        assert "Nothing was changed" in answer.json["detail"]
        assert caller("GET", ANNA).json == wallet

    wallet = caller("PUT", ANNA).json
    in_three(locked)


def test_a_session_that_takes_no_writes_any_more(
    wallets_table: PostgreSQL, database: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    database.execute("ALTER DATABASE kubecoin SET default_transaction_read_only = on")
    app = create_app(Settings.from_environment(wallets_table.environment()))
    try:
        client, pool = app.test_client(), app.extensions["database"].pool
        pool.wait(10)
        with caplog.at_level(logging.INFO):
            for _ in range(2):
                attempts = pool.get_stats()["connections_num"]
                answer = client.put(ANNA)
                assert answer.status_code == 503
                assert answer.get_json(force=True)["type"].endswith(":database-unavailable")
                # Reads go on, and the pool opens its connections anew, each once.
                wait_until(lambda: pool.get_stats()["pool_available"] == POOL_SIZE, "new connections", timeout=5)
                assert pool.get_stats()["connections_num"] - attempts == POOL_SIZE
                assert client.get("/api/wallets").status_code == 200
            assert "database away" not in caplog.messages
            assert "unexpected error" not in caplog.messages
        # The sessions keep what they began with. Only new ones take writes.
        database.execute("ALTER DATABASE kubecoin RESET default_transaction_read_only")
        assert client.put(ANNA).status_code == 503
        assert client.put(ANNA).status_code == 201
    finally:
        database.execute("ALTER DATABASE kubecoin RESET default_transaction_read_only")
        app.extensions["database"].close()


@pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend"])
@pytest.mark.parametrize("method", ["execute", "query"])
def test_a_commit_whose_wait_for_a_standby_is_given_up(
    app: Flask, wallets_table: PostgreSQL, database: psycopg.Connection, end: str, method: str
) -> None:
    session = app.extensions["database"].session(monotonic() + 10)
    commits = count()

    def write() -> None:
        # The server takes note of its new setting while the first are under way.
        for number in commits:
            getattr(session, method)(
                "INSERT INTO wallets (id) VALUES (%(id)s) ON CONFLICT DO NOTHING RETURNING id", {"id": str(number)}
            )

    with ThreadPoolExecutor(1) as thread, no_standby(database):
        writing = thread.submit(write)
        waiter = wait_for_waiter(database, "wait_event = 'SyncRep'")
        database.execute(f"SELECT {end}(%s)", (waiter,))
        with pytest.raises(OutcomeUnknown) as unknown:
            writing.result(timeout=5)
    assert not isinstance(unknown.value, ConnectionLost)
    # It was made, on this server.
    assert database.execute("SELECT count(*) FROM wallets").fetchone() == (next(commits),)
    # The next statement on that connection, whichever of the pool's it is, is not blamed for it.
    session = app.extensions["database"].session(monotonic() + 10)
    for _ in range(2 * POOL_SIZE):
        assert session.execute("SELECT 1 AS one") == [{"one": 1}]


def test_a_change_that_no_standby_confirmed_has_an_unknown_outcome(
    client: FlaskClient, database: psycopg.Connection
) -> None:
    client.put(ANNA)
    with ThreadPoolExecutor(1) as thread, no_standby(database):

        def reset() -> TestResponse:
            while (answer := client.post(RESET)).status_code == 200:
                pass
            return answer

        resetting = thread.submit(reset)
        database.execute("SELECT pg_cancel_backend(%s)", (wait_for_waiter(database, "wait_event = 'SyncRep'"),))
        answer = resetting.result(timeout=5)
    assert answer.status_code == 503
    assert UNKNOWN in answer.get_json(force=True)["detail"]
    assert not client.application.extensions["database"].reachability.away


def test_a_request_without_time_left_says_nothing_of_the_database(app: Flask) -> None:
    database = app.extensions["database"]
    with pytest.raises(Unavailable, match="no time"):
        database.session(monotonic() - 0.1).query("SELECT 1")
    assert not database.reachability.away


def test_info_names_the_backend_while_the_database_is_away(server: PostgreSQL, caller: Caller) -> None:
    pod = caller("GET", "/api/info").json["backend"]["pod"]
    server.stop()
    answer = caller("GET", "/api/info")
    assert_away(answer)
    assert answer.json["backend"] == {"pod": pod}
