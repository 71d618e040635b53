"""New connections beside the pool's: what they find, and why there is none, while the pool goes on."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg import sql

from calls import Caller
from faults import asking, read_only_server
from kubecoin_backend.app import create_app
from kubecoin_backend.connection import Examiner, Refused, reason_of
from kubecoin_backend.settings import Settings
from stack import wait_until
from stack.backend import Backend
from stack.nameserver import NameServer
from stack.postgres import PASSWORD, USER, PostgreSQL, free_port

CONNECTION = "/api/connection"
TRADER = "trader"
LOG = "kubecoin.connection"


def reason(client: FlaskClient) -> str | None:
    """Why there is no new connection, from an answer that tells no more than that; none if there is one."""
    response = client.get(CONNECTION)
    if response.status_code == 200:
        return None
    assert (response.status_code, response.content_type) == (503, "application/problem+json")
    assert int(response.headers["Retry-After"]) >= 1
    problem = response.get_json(force=True)
    assert problem.pop("backend") == {"pod": client.application.extensions["settings"].pod}
    found = problem.pop("reason")
    assert problem == {
        "type": "urn:kubecoin:problem:database-unavailable",
        "title": "The database is away",
        "status": 503,
        "detail": "The backend could not use a new connection to the database.",
        "instance": CONNECTION,
    }
    return str(found)


def assert_pool_works(client: FlaskClient) -> None:
    assert client.get("/api/info").status_code == 200
    assert not client.application.extensions["database"].reachability.away


def settings_of(server: PostgreSQL) -> Settings:
    return Settings.from_environment(server.environment())


@contextlib.contextmanager
def application(settings: Settings) -> Iterator[FlaskClient]:
    """An application of its own, inside the test's process."""
    app = create_app(settings)
    try:
        yield app.test_client()
    finally:
        app.extensions["database"].close()


@contextlib.contextmanager
def pool_of(settings: Settings) -> Iterator[FlaskClient]:
    """The same with each connection of its pool open, so that the pool needs no new one."""
    with application(settings) as client:
        client.application.extensions["database"].pool.wait(10)
        yield client


@pytest.fixture
def trader(wallets_table: PostgreSQL, database: psycopg.Connection) -> Iterator[FlaskClient]:
    """An application whose role has what it needs and no more: no limit holds for a superuser."""
    password = sql.Literal(PASSWORD)
    database.execute(sql.SQL("CREATE ROLE trader LOGIN PASSWORD {}").format(password))
    try:
        database.execute("GRANT SELECT, INSERT, UPDATE ON wallets TO trader")
        with pool_of(replace(settings_of(wallets_table), db_user=TRADER)) as client:
            yield client
    finally:
        database.execute("DROP OWNED BY trader")
        database.execute("DROP ROLE trader")


@contextlib.contextmanager
def access_rules(server: PostgreSQL, rules: str, client: FlaskClient, expected: str) -> Iterator[None]:
    """The server with these lines as its whole pg_hba.conf, once they hold."""
    path = server.data / "pg_hba.conf"
    before = path.read_text()
    with server.connect() as database:
        try:
            path.write_text(rules)
            database.execute("SELECT pg_reload_conf()")
            wait_until(lambda: reason(client) == expected, "the rules to hold", timeout=10, every=0.01)
            yield
        finally:
            path.write_text(before)
            database.execute("SELECT pg_reload_conf()")
            wait_until(lambda: connects(server), "the old rules to hold", timeout=10, every=0.01)


def connects(server: PostgreSQL) -> bool:
    try:
        server.connect().close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_new_connection_and_what_it_may_do(client: FlaskClient) -> None:
    answer = client.get(CONNECTION).get_json()
    info = client.get("/api/info").get_json()
    for number in ("wallets", "wallets_table"):
        info["database"].pop(number)
    assert answer == {
        "backend": info["backend"],
        "database": info["database"]
        | {
            "role": USER,
            "read_only": False,
            "in_recovery": False,
            "wallets_table": True,
            "missing_privileges": [],
        },
    }
    assert list(answer["database"])[:5] == ["host", "pod", "started_at", "system_identifier", "role"]


def test_it_is_a_session_of_its_own_that_ends(client: FlaskClient, database: psycopg.Connection) -> None:
    def number(statement: str) -> int:
        return int(database.execute(statement).fetchone()[0])

    present = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'kubecoin' AND backend_type = 'client backend'"
    begun = "SELECT sessions FROM pg_stat_database WHERE datname = 'kubecoin'"
    client.application.extensions["database"].pool.wait(10)
    before, sessions = number(present), number(begun)
    for _ in range(3):
        assert reason(client) is None
    wait_until(lambda: number(begun) >= sessions + 3, "sessions to be counted", timeout=10, every=0.01)
    wait_until(lambda: number(present) == before, "the sessions to end", timeout=10, every=0.01)


def test_the_table_is_missing(trader: FlaskClient, database: psycopg.Connection) -> None:
    database.execute("DROP TABLE wallets")
    found = trader.get(CONNECTION).get_json()["database"]
    assert (found["wallets_table"], found["missing_privileges"]) == (False, [])


def test_privileges_are_missing(trader: FlaskClient, database: psycopg.Connection) -> None:
    found = trader.get(CONNECTION).get_json()["database"]
    assert (found["role"], found["missing_privileges"]) == (TRADER, [])
    database.execute("REVOKE UPDATE, INSERT ON wallets FROM trader")
    found = trader.get(CONNECTION).get_json()["database"]
    assert (found["wallets_table"], found["missing_privileges"]) == (True, ["INSERT", "UPDATE"])


def test_new_transactions_are_read_only(client: FlaskClient, database: psycopg.Connection) -> None:
    try:
        database.execute("ALTER DATABASE kubecoin SET default_transaction_read_only = on")
        assert client.get(CONNECTION).get_json()["database"]["read_only"] is True
        assert_pool_works(client)
    finally:
        database.execute("ALTER DATABASE kubecoin RESET default_transaction_read_only")
    assert client.get(CONNECTION).get_json()["database"]["read_only"] is False


def test_no_server_takes_writes(client: FlaskClient, wallets_table: PostgreSQL, database: psycopg.Connection) -> None:
    settings = replace(settings_of(wallets_table), db_target_session_attrs="read-write")
    with application(settings) as writer:
        assert reason(writer) is None
        try:
            database.execute("ALTER DATABASE kubecoin SET default_transaction_read_only = on")
            assert reason(writer) == "no-primary"
            # The same of several servers.
            with application(replace(settings, db_host=f"{wallets_table.address},{wallets_table.address}")) as several:
                assert reason(several) == "no-primary"
            # Another backend does not ask for one that does.
            assert reason(client) is None
        finally:
            database.execute("ALTER DATABASE kubecoin RESET default_transaction_read_only")
        assert reason(writer) is None


def test_a_server_that_takes_no_writes_is_passed_over(wallets_table: PostgreSQL) -> None:
    with read_only_server(wallets_table.port) as standby:
        reading = replace(settings_of(wallets_table), db_host=f"{standby.address},{wallets_table.address}")
        writing = replace(reading, db_target_session_attrs="read-write")
        with application(reading) as reader, application(writing) as writer:
            first, second = (client.get(CONNECTION).get_json()["database"] for client in (reader, writer))
            assert (first["read_only"], second["read_only"]) == (True, False)
            assert first["system_identifier"] != second["system_identifier"]
            assert writer.put("/api/wallets/anna").status_code == 201


def test_the_pod_of_a_member_under_patroni(client: FlaskClient, database: psycopg.Connection) -> None:
    def pod() -> object:
        return client.get(CONNECTION).get_json()["database"]["pod"]

    assert pod() == "postgres-0"
    try:
        database.execute("ALTER DATABASE kubecoin SET kubecoin.pod = 'postgres-2'")
        assert pod() == "postgres-2"
        database.execute("ALTER DATABASE kubecoin SET kubecoin.pod = ''")
        assert pod() == "postgres-0"
    finally:
        database.execute("ALTER DATABASE kubecoin RESET kubecoin.pod")


@pytest.mark.parametrize(
    ("fault", "undo", "expected"),
    [
        ("ALTER ROLE trader PASSWORD 'another'", None, "password"),
        ("ALTER ROLE trader NOLOGIN", None, "no-login"),
        ("ALTER ROLE trader CONNECTION LIMIT 8", None, "no-connection-left"),
        (
            "ALTER DATABASE kubecoin CONNECTION LIMIT 8",
            "ALTER DATABASE kubecoin CONNECTION LIMIT -1",
            "no-connection-left",
        ),
        (
            "REVOKE CONNECT ON DATABASE kubecoin FROM PUBLIC",
            "GRANT CONNECT ON DATABASE kubecoin TO PUBLIC",
            "database-closed",
        ),
        (
            "ALTER DATABASE kubecoin ALLOW_CONNECTIONS false",
            "ALTER DATABASE kubecoin ALLOW_CONNECTIONS true",
            "database-closed",
        ),
    ],
)
def test_a_role_or_a_database_that_takes_no_new_connection(
    trader: FlaskClient, wallets_table: PostgreSQL, fault: str, undo: str | None, expected: str
) -> None:
    assert reason(trader) is None
    # A session in the database cannot close it.
    with wallets_table.connect(USER) as beside:
        try:
            beside.execute(fault)
            assert reason(trader) == expected
            assert_pool_works(trader)
        finally:
            if undo:
                beside.execute(undo)


def test_the_server_admits_nobody_new(client: FlaskClient, wallets_table: PostgreSQL) -> None:
    with access_rules(wallets_table, "host all all all reject\n", client, "not-admitted"):
        assert_pool_works(client)
    with access_rules(wallets_table, "local all all trust\n", client, "not-admitted"):
        assert_pool_works(client)
    assert reason(client) is None


def test_no_such_role_or_database(client: FlaskClient, wallets_table: PostgreSQL) -> None:
    settings = settings_of(wallets_table)
    with application(replace(settings, db_name="nothing")) as elsewhere:
        assert reason(elsewhere) == "no-database"
    with application(replace(settings, db_user="nobody")) as nobody:
        # To a role that does not exist, PostgreSQL says what it says to a wrong password.
        assert reason(nobody) == "password"
        with access_rules(wallets_table, "host all all all trust\n", nobody, "no-role"):
            pass


def test_a_server_that_ends_while_the_pool_has_its_sessions(wallets_table: PostgreSQL) -> None:
    with pool_of(settings_of(wallets_table)) as client:
        postmaster = int((wallets_table.data / "postmaster.pid").read_text().split()[0])
        try:
            os.kill(postmaster, signal.SIGTERM)
            wait_until(lambda: reason(client) == "starting", "the server to admit nobody", timeout=10, every=0.01)
            assert_pool_works(client)
        finally:
            wallets_table.stop("fast")
            wallets_table.start()


def test_a_failed_attempt_is_one_line_and_no_outage(
    trader: FlaskClient, database: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    database.execute("ALTER ROLE trader NOLOGIN")
    with caplog.at_level(logging.INFO):
        assert reason(trader) == "no-login"
    assert "database away" not in caplog.messages
    (line,) = (record for record in caplog.records if record.name == LOG)
    assert (line.levelname, line.getMessage()) == ("INFO", "new connection failed")
    assert line.__dict__["fields"]["reason"] == "no-login"
    assert "not permitted" in line.__dict__["fields"]["error"]


def test_names_that_do_not_resolve(wallets_table: PostgreSQL) -> None:
    name = "postgres-headless.kubecoin.test"
    environment = wallets_table.environment() | {"DB_HOST": name}
    with NameServer() as names, asking(names) as within, Backend(environment, within) as backend:
        caller = Caller(backend.url)
        assert caller("GET", CONNECTION).json["reason"] == "name"
        names.addresses[f"{name}."] = wallets_table.address
        assert caller("GET", CONNECTION).status == 200
        names.silent = True
        assert caller("GET", CONNECTION).json["reason"] == "name"
    for host in ("no..name", f"no..name,{wallets_table.address}", f"{wallets_table.address},no..name"):
        with application(replace(settings_of(wallets_table), db_host=host)) as client:
            assert reason(client) == "name"


def test_one_name_of_several_is_enough(wallets_table: PostgreSQL) -> None:
    primary, headless = "postgres-primary.kubecoin.test", "postgres-headless.kubecoin.test"
    environment = wallets_table.environment() | {"DB_HOST": f"{primary},{headless}"}
    with NameServer() as names, asking(names) as within, Backend(environment, within) as backend:
        caller = Caller(backend.url)
        assert caller("GET", CONNECTION).json["reason"] == "name"
        for name in (headless, primary):
            names.addresses = {f"{name}.": wallets_table.address}
            assert caller("GET", CONNECTION).status == 200
        # The Service of a primary that is gone, and the members.
        names.addresses = {f"{primary}.": "127.0.0.9", f"{headless}.": wallets_table.address}
        assert caller("GET", CONNECTION).status == 200


def test_nobody_listens(wallets_table: PostgreSQL) -> None:
    with application(replace(settings_of(wallets_table), db_port=free_port())) as client:
        assert reason(client) == "refused"


def test_one_connection_at_a_time(wallets_table: PostgreSQL) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        examiner = Examiner(replace(settings_of(wallets_table), db_port=listener.getsockname()[1]))

        def ask() -> str:
            with pytest.raises(Refused) as refused:
                examiner.examine(monotonic() + 0.6)
            return refused.value.reason

        with ThreadPoolExecutor(4) as threads:
            reasons = sorted(answer.result() for answer in [threads.submit(ask) for _ in range(4)])
        assert reasons == ["busy", "busy", "busy", "timeout"]
        # The first attempt is still under way, and it is the only one.
        assert ask() == "busy"
        listener.accept()[0].close()
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    wait_until(lambda: ask() == "refused", "the first attempt's end", timeout=5, every=0.01)


def test_a_request_behind_another_has_its_turn(client: FlaskClient) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: reason(client), range(4)))
    assert answers == [None] * 4


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("FATAL:  sorry, too many clients already", "no-connection-left"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "no-connection-left",
        ),
        ("FATAL:  the database system is starting up", "starting"),
        ("FATAL:  the database system is not yet accepting connections", "starting"),
        ("FATAL:  the database system is in recovery mode", "starting"),
        (
            "Connection refused\nMultiple connection attempts failed. All failures were:\n- hostaddr: '::1':"
            " Connection refused\n- hostaddr: '127.0.0.1': FATAL:  role \"x\" is not permitted to log in",
            "no-login",
        ),
        ("server is in hot standby mode", "no-primary"),
        (
            "session is read-only\nMultiple connection attempts failed. All failures were:\n- host: 'a':"
            " Connection refused\n- host: 'b': session is read-only\n- host: 'c': session is read-only",
            "no-primary",
        ),
        (
            # The primary is there, but does not let it in: that standbys take no writes is as it should be.
            "session is read-only\nMultiple connection attempts failed. All failures were:\n- host: 'a': FATAL:  sorry,"
            " too many clients already\n- host: 'b': session is read-only\n- host: 'c': session is read-only",
            "no-connection-left",
        ),
        (
            "session is read-only\nMultiple connection attempts failed. All failures were:\n- host: 'a': FATAL:  the"
            " database system is starting up\n- host: 'b': session is read-only",
            "starting",
        ),
        ("server is not in hot standby mode", "other"),
        ("connection failed: server closed the connection unexpectedly", "other"),
    ],
)
def test_words_that_a_test_does_not_bring_about(words: str, expected: str) -> None:
    assert reason_of(psycopg.OperationalError(words)) == expected
