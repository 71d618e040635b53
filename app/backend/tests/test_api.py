"""Every call and every error that does not need a fault of the database."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import psycopg
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from stack.postgres import PostgreSQL

ANNA = "/api/wallets/anna"
TRADES = f"{ANNA}/trades"
MOST = "9999999999999.99"


def slug(response: TestResponse) -> str:
    """The kind of the problem, once its form was checked."""
    problem = response.get_json(force=True)
    assert response.content_type == "application/problem+json"
    assert problem["status"] == response.status_code
    assert problem["instance"] == response.request.path
    assert problem["title"]
    assert problem["detail"]
    return str(problem["type"]).removeprefix("urn:kubecoin:problem:")


def buy(client: FlaskClient, coins: object) -> TestResponse:
    return client.post(TRADES, json={"side": "buy", "coins": coins})


def sell(client: FlaskClient, coins: object) -> TestResponse:
    return client.post(TRADES, json={"side": "sell", "coins": coins})


def set_wallet(database: psycopg.Connection, balance: str, coins: str) -> None:
    database.execute(
        "INSERT INTO wallets (id, balance, coins) VALUES ('anna', %s, %s)"
        " ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, coins = excluded.coins",
        (balance, coins),
    )


def test_put_creates_a_wallet_once(client: FlaskClient) -> None:
    first, second = client.put(ANNA), client.put(ANNA)
    assert (first.status_code, second.status_code) == (201, 200)
    wallet = first.get_json()
    assert (wallet["id"], wallet["balance"], wallet["coins"]) == ("anna", "1000.00", "0.00")
    assert second.get_json() == wallet == client.get(ANNA).get_json()


def test_times_are_utc(client: FlaskClient) -> None:
    created_at = client.put(ANNA).get_json()["created_at"]
    assert created_at.endswith("Z")
    assert abs(datetime.fromisoformat(created_at) - datetime.now(UTC)) < timedelta(minutes=1)


def test_wallets_are_counted_and_the_ten_changed_last_are_listed(client: FlaskClient) -> None:
    assert client.get("/api/wallets").get_json() == {"count": 0, "recent": []}
    for number in range(12):
        client.put(f"/api/wallets/w{number}")
    client.post("/api/wallets/w0/reset")
    listing = client.get("/api/wallets").get_json()
    assert listing["count"] == 12
    assert listing["recent"] == ["w0", *(f"w{number}" for number in range(11, 2, -1))]


@pytest.mark.parametrize("wallet_id", ["a", "A" * 64, "Anna-1.b_c", ".", "..", "-"])
def test_ids_that_are_allowed(client: FlaskClient, wallet_id: str) -> None:
    assert client.put(f"/api/wallets/{wallet_id}").get_json()["id"] == wallet_id


@pytest.mark.parametrize("wallet_id", ["a" * 65, "a b", "ann%C3%A9", "%D9%A1", "a%00", "a%0A", "'; --", "a$"])
@pytest.mark.parametrize(
    ("method", "rest"), [("GET", ""), ("PUT", ""), ("POST", "/trades"), ("POST", "/mine"), ("POST", "/reset")]
)
def test_ids_that_are_not_allowed(client: FlaskClient, method: str, rest: str, wallet_id: str) -> None:
    response = client.open(f"/api/wallets/{wallet_id}{rest}", method=method)
    assert (response.status_code, slug(response)) == (400, "invalid-wallet-id")


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None),
        ("POST", "/trades", {"side": "sell", "coins": "1"}),
        ("POST", "/trades", {"side": "buy", "coins": MOST}),
        ("POST", "/mine", None),
        ("POST", "/reset", None),
    ],
)
def test_a_wallet_that_is_not_there(client: FlaskClient, method: str, rest: str, body: object) -> None:
    response = client.open(ANNA + rest, method=method, json=body)
    assert (response.status_code, slug(response)) == (404, "wallet-not-found")


def test_trades_are_exact_and_set_updated_at(client: FlaskClient) -> None:
    wallet = client.put(ANNA).get_json()
    bought = buy(client, "1.5").get_json()
    assert (bought["side"], bought["coins"]) == ("buy", "1.50")
    amount = Decimal(bought["amount"])
    assert abs(amount - Decimal("1.50") * Decimal(bought["price"])) <= Decimal("0.005")
    assert bought["wallet"]["balance"] == str(1000 - amount)
    assert bought["wallet"]["coins"] == "1.50"
    assert bought["wallet"]["updated_at"] > wallet["updated_at"]

    sold = sell(client, "0.50").get_json()
    assert sold["wallet"]["balance"] == str(1000 - amount + Decimal(sold["amount"]))
    assert sold["wallet"]["coins"] == "1.00"
    assert sold["wallet"] == client.get(ANNA).get_json()


def test_half_a_cent_is_rounded_up(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from kubecoin_backend import price

    moment = price.Point(datetime.now(UTC), Decimal("101.23"))
    monkeypatch.setattr(price, "now", lambda: moment)
    client.put(ANNA)
    trade = buy(client, "1.50").get_json()
    assert (trade["price"], trade["amount"], trade["wallet"]["balance"]) == ("101.23", "151.85", "848.15")


def test_a_trade_may_use_up_everything(
    client: FlaskClient, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kubecoin_backend import price

    moment = price.Point(datetime.now(UTC), Decimal("100.00"))
    monkeypatch.setattr(price, "now", lambda: moment)
    set_wallet(database, "1000.00", "0.00")
    assert buy(client, "10.00").get_json()["wallet"]["balance"] == "0.00"
    assert slug(buy(client, "0.01")) == "insufficient-balance"
    assert sell(client, "10").get_json()["wallet"]["coins"] == "0.00"
    assert slug(sell(client, "0.01")) == "insufficient-coins"


def test_not_enough_changes_nothing(client: FlaskClient) -> None:
    wallet = client.put(ANNA).get_json()
    for response, kind in (
        (buy(client, MOST), "insufficient-balance"),
        (buy(client, "1000"), "insufficient-balance"),
        (sell(client, "0.01"), "insufficient-coins"),
    ):
        assert (response.status_code, slug(response)) == (409, kind)
    assert client.get(ANNA).get_json() == wallet


def test_a_full_wallet_refuses_more(client: FlaskClient, database: psycopg.Connection) -> None:
    set_wallet(database, MOST, MOST)
    for response in (buy(client, "0.01"), sell(client, "0.01"), client.post(f"{ANNA}/mine")):
        assert (response.status_code, slug(response)) == (409, "wallet-full")
    wallet = client.get(ANNA).get_json()
    assert (wallet["balance"], wallet["coins"]) == (MOST, MOST)


@pytest.mark.parametrize(
    "coins",
    [
        *(1, 1.5, True, None, [], {}),
        *("", " 1", "1 ", "1\n", "+1", "-1", "-0.01", "0", "0.00", "00", "1.", ".5", "1.005"),
        *("1e3", "1E3", "NaN", "Infinity", "-Infinity", "sNaN", "1_000", "1,50", "0x10"),
        *("\u0661", "\uff11", "1.\u0665"),
        *("10000000000000", "99999999999999999999", "9" * 3000),
    ],
)
def test_amounts_that_are_refused(client: FlaskClient, coins: object) -> None:
    client.put(ANNA)
    for response in (buy(client, coins), sell(client, coins)):
        assert (response.status_code, slug(response)) == (400, "invalid-amount")


@pytest.mark.parametrize(("coins", "shown"), [("1", "1.00"), ("0.01", "0.01"), ("01.5", "1.50")])
def test_amounts_that_are_taken(client: FlaskClient, coins: str, shown: str) -> None:
    client.put(ANNA)
    assert buy(client, coins).get_json()["coins"] == shown


@pytest.mark.parametrize("side", ["", "BUY", "hold", None, 1, ["buy"], {"buy": 1}, "\ud800"])
def test_sides_that_are_refused(client: FlaskClient, side: object) -> None:
    response = client.post(TRADES, json={"side": side, "coins": "1.00"})
    assert (response.status_code, slug(response)) == (400, "invalid-trade")


def test_an_amount_is_missing(client: FlaskClient) -> None:
    assert slug(client.post(TRADES, json={"side": "buy"})) == "invalid-amount"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"buy"', b"1", b"\xff\xfe", b'{"side": "buy", "coins": "1"', b"[" * 4000, b"1" * 4090],
)
def test_bodies_that_are_no_json_object(client: FlaskClient, body: bytes) -> None:
    response = client.post(TRADES, data=body, content_type="application/json")
    assert (response.status_code, slug(response)) == (400, "invalid-json")


def test_a_charset_is_no_other_media_type(client: FlaskClient) -> None:
    client.put(ANNA)
    body = json.dumps({"side": "buy", "coins": "1"})
    assert client.post(TRADES, data=body, content_type="application/json; charset=utf-8").status_code == 200


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_other_media_types(client: FlaskClient, media_type: str | None) -> None:
    response = client.post(TRADES, data=b'{"side":"buy","coins":"1"}', content_type=media_type)
    assert (response.status_code, slug(response)) == (415, "unsupported-media-type")


def test_a_body_that_is_too_large(client: FlaskClient) -> None:
    response = buy(client, "1" * 5000)
    assert (response.status_code, slug(response)) == (413, "body-too-large")


def test_mining_credits_one_coin_for_a_proof(client: FlaskClient) -> None:
    wallet = client.put(ANNA).get_json()
    mined = client.post(f"{ANNA}/mine").get_json()
    digest = hashlib.sha256(f"anna:{mined['nonce']}".encode()).hexdigest()
    assert mined["hash"] == digest
    assert digest.startswith("0000")
    assert mined["wallet"]["coins"] == "1.00"
    assert mined["wallet"]["balance"] == "1000.00"
    assert mined["wallet"]["updated_at"] > wallet["updated_at"]


def test_mining_that_finds_nothing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubecoin_backend.mining.ATTEMPTS", 0)
    wallet = client.put(ANNA).get_json()
    response = client.post(f"{ANNA}/mine")
    assert (response.status_code, slug(response)) == (503, "mine-exhausted")
    assert client.get(ANNA).get_json() == wallet


def test_reset_gives_a_new_wallets_money(client: FlaskClient, database: psycopg.Connection) -> None:
    client.put(ANNA)
    set_wallet(database, "1.00", "7.00")
    before = client.get(ANNA).get_json()
    wallet = client.post(f"{ANNA}/reset").get_json()
    assert (wallet["balance"], wallet["coins"]) == ("1000.00", "0.00")
    assert wallet["created_at"] == before["created_at"]
    assert wallet["updated_at"] > before["updated_at"]


def test_price(client: FlaskClient) -> None:
    answer = client.get("/api/price?points=3").get_json()
    assert answer["interval"] == 2
    assert len(answer["points"]) == 3
    assert answer["points"][-1] == {"at": answer["at"], "price": answer["price"]}
    times = [datetime.fromisoformat(point["at"]) for point in answer["points"]]
    assert [later - earlier for earlier, later in pairwise(times)] == [timedelta(seconds=2)] * 2
    assert timedelta() <= datetime.now(UTC) - times[-1] < timedelta(seconds=4)
    assert len(client.get("/api/price").get_json()["points"]) == 60
    assert len(client.get("/api/price?points=500").get_json()["points"]) == 500


@pytest.mark.parametrize("points", ["", "0", "501", "-1", "1.0", "many", "1e2", "\u0663", "9" * 9, "%20" + "1"])
def test_points_that_are_refused(client: FlaskClient, points: str) -> None:
    response = client.get(f"/api/price?points={points}")
    assert (response.status_code, slug(response)) == (400, "invalid-points")


def test_info(client: FlaskClient, wallets_table: PostgreSQL, database: psycopg.Connection) -> None:
    client.put(ANNA)
    info = client.get("/api/info").get_json()
    assert info["backend"]["pod"]
    started_at, identifier = database.execute(
        "SELECT pg_postmaster_start_time(), (SELECT system_identifier FROM pg_control_system())"
    ).fetchone()
    assert datetime.fromisoformat(info["database"].pop("started_at")) == started_at
    assert info["database"] == {
        "host": wallets_table.address,
        "pod": "postgres-0",
        "system_identifier": str(identifier),
        "wallets": 1,
        "wallets_table": True,
    }


def test_the_table_is_missing(client: FlaskClient, database: psycopg.Connection) -> None:
    client.put(ANNA)
    database.execute("DROP TABLE wallets")
    for response in (
        client.put(ANNA),
        client.get(ANNA),
        client.get("/api/wallets"),
        buy(client, "1"),
        client.post(f"{ANNA}/mine"),
        client.post(f"{ANNA}/reset"),
    ):
        assert (response.status_code, slug(response)) == (503, "wallets-table-missing")
        assert "kubectl kubecoin init-db" in response.get_json(force=True)["detail"]
    info = client.get("/api/info").get_json()["database"]
    assert (info["wallets"], info["wallets_table"]) == (None, False)


@pytest.mark.parametrize("path", ["/", "/api", "/api/nothing", "/api//wallets", "/api/wallets/", "/api/wallets/a%2Fb"])
def test_paths_that_are_not_there(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, slug(response)) == (404, "not-found")


def test_methods_that_are_not_allowed(client: FlaskClient) -> None:
    response = client.delete(ANNA)
    assert (response.status_code, slug(response)) == (405, "method-not-allowed")
    assert {"GET", "PUT"} <= set(response.headers["Allow"].split(", "))


def test_a_defect_is_no_secret_and_no_detail(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("something internal")

    monkeypatch.setattr("kubecoin_backend.price.now", fail)
    response = client.get("/api/price")
    assert (response.status_code, slug(response)) == (500, "internal-error")
    assert "internal" not in response.get_json(force=True)["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.mimetype) == (200, "text/plain")


def test_metrics(client: FlaskClient) -> None:
    def value(line: str) -> float:
        lines = client.get("/metrics").get_data(as_text=True).splitlines()
        return sum(float(found.rpartition(" ")[2]) for found in lines if found.startswith(line))

    route = 'method="GET",route="/api/wallets/<wallet_id>"'
    requests, trades = f'kubecoin_http_requests_total{{{route},status="404"}}', 'kubecoin_trades_total{side="buy"}'
    before = value(requests), value(trades)
    client.get(ANNA)
    client.put(ANNA)
    buy(client, "1")
    buy(client, MOST)
    assert (value(requests), value(trades)) == (before[0] + 1, before[1] + 1)
    assert value(f"kubecoin_http_request_duration_seconds_count{{{route}}}") >= 1
    assert value("kubecoin_database_up") == 1
    assert value("kubecoin_database_pool_size") == 8


def test_what_clients_invent_is_no_label(client: FlaskClient) -> None:
    client.open("/invented-path", method="INVENTED")
    assert "invented" not in client.get("/metrics").get_data(as_text=True).lower()
