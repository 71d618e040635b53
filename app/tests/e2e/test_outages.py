"""What the page says while a part of the exchange is away, and after."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browser import Exchange, expect_wallet, overflow, severe_findings, trade
from parts import Stack, away
from playwright.sync_api import Page, Route, expect

from stack import wait_until
from stack.postgres import CREATE_TABLE, PostgreSQL


@pytest.fixture
def exchange(stack: Stack) -> Exchange:
    """Never one of elsewhere: these tests stop its parts."""
    return Exchange(stack.frontend.url)


@pytest.fixture
def page(exchange: Exchange, open_page, wallet_id) -> Page:
    """A wallet with one coin on the screen."""
    exchange.create(wallet_id)
    exchange.call("POST", f"/wallets/{wallet_id}/mine")
    page = open_page(exchange.wallet_url(wallet_id))
    expect_wallet(page, {"balance": "1000.00", "coins": "1.00"})
    return page


@pytest.fixture
def other_database(stack: Stack) -> Iterator[PostgreSQL]:
    """An empty server for the same port: what there is if the volume does not come back."""
    other = PostgreSQL()
    other.port = stack.postgres.port
    try:
        yield other
    finally:
        other.remove()


def report(page: Page):
    return page.get_by_role("region", name=re.compile("is back|was replaced"))


def seconds_away(page: Page) -> float:
    match = re.search(r"away for ([\d.]+) s", page.get_by_test_id("away").inner_text())
    assert match
    return float(match[1])


def test_database_away_and_back(stack: Stack, page: Page):
    with away(stack.postgres):
        expect(page.get_by_test_id("away")).to_contain_text("The database has been away for")
        expect(page.get_by_text("Database away")).to_be_visible()
        expect(page.get_by_test_id("stop-backend")).not_to_contain_text("does not answer")
        expect(page.get_by_test_id("stop-database")).to_contain_text("does not answer")
        expect_wallet(page, {"balance": "1000.00", "coins": "1.00"})
        earlier = seconds_away(page)
        wait_until(lambda: seconds_away(page) >= earlier + 1, "the seconds to count")

    expect(report(page)).to_contain_text(re.compile(r"The database was away for [\d.]+ s and is back"))
    for said in (
        "Nothing was lost.",
        "Your wallet is the same row: $1,000.00 and 1.00 coins",
        "The data is the same",
        re.compile(r"\d+ wallets?, as before"),
        "The server is a new one",
    ):
        expect(report(page)).to_contain_text(said)
    expect(page.get_by_test_id("away")).to_be_hidden()
    expect_wallet(page, {"balance": "1000.00", "coins": "1.00"})
    trade(page, "Sell", "1.00")
    expect(page.get_by_text("Sold 1.00 coins")).to_be_visible()


def test_a_restart_that_no_poll_fell_into_is_told(stack: Stack, exchange: Exchange, page: Page, wallet_id: str):
    # The page hears what it heard before the restart, as if that were quicker than its polls.
    info, wallet = exchange.call("GET", "/info"), exchange.wallet(wallet_id)
    page.route(f"**/api/wallets/{wallet_id}", lambda route: route.fulfill(json=wallet))
    page.route("**/api/info", lambda route: route.fulfill(json=info))
    # Polls follow one another: after one of these, none of before is under way.
    page.wait_for_event("response", lambda response: response.url.endswith(f"/api/wallets/{wallet_id}"))
    with away(stack.postgres):
        pass
    page.unroute_all()
    expect(report(page)).to_contain_text("The database server was replaced")
    expect(report(page)).to_contain_text("between two checks of this page")
    expect(report(page)).to_contain_text("The server is a new one")
    expect(report(page)).to_contain_text("Nothing was lost.")


def test_lost_data_is_called_lost(stack: Stack, page: Page, other_database: PostgreSQL):
    with away(stack.postgres), other_database:
        expect(report(page)).to_contain_text("Data was lost.")
        expect(report(page)).to_contain_text("This is another database")
        expect(report(page)).to_contain_text("Your wallet is gone. It had $1,000.00 and 1.00 coins.")
        expect(report(page)).not_to_contain_text("Nothing was lost")
        expect(page.get_by_text("kubectl kubecoin init-db").first).to_be_visible()
        with other_database.connect() as connection:
            connection.execute(CREATE_TABLE)
        expect(page.get_by_role("heading", name="There is no wallet called")).to_be_visible()


def test_a_deleted_row_is_called_gone(stack: Stack, page: Page, wallet_id: str):
    page.route("**/api/info", lambda route: route.abort())
    expect(page.get_by_test_id("away")).to_be_visible()
    with stack.postgres.connect() as connection:
        connection.execute("DELETE FROM wallets WHERE id = %s", [wallet_id])
    page.unroute("**/api/info")
    expect(report(page)).to_contain_text("Data was lost.")
    expect(report(page)).to_contain_text("Your wallet is gone.")
    expect(report(page)).to_contain_text("The data is the same")


def test_backend_away_and_back(stack: Stack, page: Page):
    with away(stack.backend):
        expect(page.get_by_test_id("away")).to_contain_text("The backend has been away for")
        expect(page.get_by_test_id("stop-frontend")).not_to_contain_text("does not answer")
        expect(page.get_by_test_id("stop-backend")).to_contain_text("does not answer")
        expect(page.get_by_test_id("stop-database")).to_contain_text("cannot be seen from here")
        expect_wallet(page, {"balance": "1000.00", "coins": "1.00"})
    expect(report(page)).to_contain_text("The backend was away for")
    expect(report(page)).to_contain_text("The server did not restart")
    expect(report(page)).to_contain_text("Nothing was lost.")


@pytest.mark.parametrize(("arrives", "said"), [(True, "was carried out"), (False, "was not carried out")])
def test_an_order_without_an_answer_is_found_out(exchange: Exchange, page: Page, wallet_id: str, arrives, said):
    def cut(route: Route) -> None:
        if arrives:
            route.fetch()
        route.abort("connectionreset")

    page.route("**/trades", cut)
    trade(page, "Buy", "0.25")
    expect(page.get_by_role("alert")).to_contain_text("may or may not have been carried out")
    expect(report(page)).to_contain_text(f"Your order to buy 0.25 coins {said}")
    wallet = exchange.wallet(wallet_id)
    assert wallet["coins"] == ("1.25" if arrives else "1.00")
    expect_wallet(page, wallet)


def test_a_missing_table_names_the_command(stack: Stack, page: Page, wallet_id: str):
    with stack.postgres.connect() as connection:
        connection.execute("ALTER TABLE wallets RENAME TO hidden")
        expect(page.get_by_text("kubectl kubecoin init-db")).to_be_visible()
        expect(page.get_by_test_id("stop-volume")).to_contain_text("no table")
        connection.execute("ALTER TABLE hidden RENAME TO wallets")
    expect_wallet(page, {"balance": "1000.00", "coins": "1.00"})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_and_phone_while_away_and_after(stack: Stack, exchange: Exchange, open_page, wallet_id, scheme):
    exchange.create(wallet_id)
    page = open_page(exchange.wallet_url(wallet_id), color_scheme=scheme, viewport={"width": 375, "height": 740})
    expect(page.locator(".recharts-area-curve")).to_be_visible()
    with away(stack.postgres):
        expect(page.get_by_test_id("away")).to_be_visible()
        assert severe_findings(page) == []
        assert overflow(page) == 0
    expect(report(page)).to_be_visible()
    assert severe_findings(page) == []
    assert overflow(page) == 0
