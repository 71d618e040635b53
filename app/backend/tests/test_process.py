"""The process: its end, and its log."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg

from calls import Caller
from faults import in_three, locked_wallet, wait_for_waiter
from stack import wait_until
from stack.backend import SOURCE, Backend
from stack.postgres import PASSWORD, PostgreSQL

ANNA = "/api/wallets/anna"


def test_sigterm_lets_a_request_in_flight_finish(
    backend: Backend, caller: Caller, database: psycopg.Connection, wallets_table: PostgreSQL
) -> None:
    caller("PUT", ANNA)
    with ThreadPoolExecutor(1) as thread:
        with locked_wallet(wallets_table, "anna"):
            call = thread.submit(caller, "POST", f"{ANNA}/reset")
            wait_for_waiter(database)
            backend.terminate()
            wait_until(lambda: "Handling signal: term" in backend.log, "gunicorn to begin its end", every=0.01)
        assert call.result().status == 200
        assert backend.wait() == 0
    backend.start()


def test_one_line_of_json_a_request(wallets_table: PostgreSQL) -> None:
    with Backend(wallets_table.environment()) as backend:
        caller = Caller(backend.url)
        caller("PUT", f"{ANNA}?token=in-the-query")
        caller("POST", f"{ANNA}/trades", {"side": "buy", "coins": "a lot"})
        caller("GET", "/healthz")
        entries = [json.loads(line) for line in backend.log.splitlines()]

    requests = [entry for entry in entries if entry["logger"] == "kubecoin.request"]
    put, trade, probe = requests[-3:]
    assert (put["method"], put["path"], put["status"], put["wallet"]) == ("PUT", ANNA, 201, "anna")
    assert 0 < put["duration_ms"] < 2000
    assert (trade["status"], trade["problem"]) == (400, "invalid-amount")
    assert (probe["path"], probe["status"]) == ("/healthz", 200)
    assert put["time"].endswith("+00:00")
    assert not any("exception" in entry for entry in entries)


def test_an_outage_is_two_lines_without_a_secret(wallets_table: PostgreSQL) -> None:
    in_three(lambda: an_outage_is_two_lines(wallets_table))


def an_outage_is_two_lines(wallets_table: PostgreSQL) -> None:
    with Backend(wallets_table.environment()) as backend:
        caller = Caller(backend.url)
        assert caller("GET", "/api/wallets").status == 200
        wallets_table.stop()
        try:
            for _ in range(5):
                assert caller("GET", "/api/wallets").status == 503
        finally:
            wallets_table.start()
        assert caller("GET", "/api/wallets").status == 200
        entries = [json.loads(line) for line in backend.log.splitlines()]
        assert PASSWORD not in backend.log
    lines = [entry for entry in entries if entry["logger"] == "kubecoin.database"]
    assert [line["message"] for line in lines] == ["database away", "database is back"]
    assert "127.0.0.1" in lines[0]["reason"]
    assert not any("exception" in entry for entry in entries)


def test_settings_that_are_missing_are_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", "127.0.0.1:0"],
        cwd=SOURCE,
        env={"DB_PORT": "http"},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "DB_HOST is not set; DB_PASSWORD is not set; DB_PORT is 'http'" in output
    assert "Traceback" not in output
