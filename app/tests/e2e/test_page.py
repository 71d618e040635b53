"""The page on an exchange that nobody disturbs; with KUBECOIN_PAGE_URL on one of elsewhere."""

from __future__ import annotations

import hashlib
import re

import pytest
from browser import (
    Exchange,
    choose,
    expect_wallet,
    figure,
    overflow,
    severe_findings,
    tab_to,
    trade,
)
from playwright.sync_api import expect

from stack.nginx import Frontend

PHONE = {"width": 375, "height": 740}


def test_first_visit_creates_nothing_until_asked(exchange: Exchange, open_page, wallet_id):
    exchange.create(f"{wallet_id}-other")
    count = exchange.call("GET", "/wallets")["count"]
    page = open_page(exchange.url)
    expect(page.get_by_role("heading", level=2).first).to_have_text(
        f"This browser has no wallet yet, the database has {count}"
    )
    assert exchange.call("GET", "/wallets")["count"] == count

    page.get_by_label("Name of your new wallet").fill(wallet_id)
    page.get_by_role("button", name="Create wallet").click()
    expect(page).to_have_url(exchange.wallet_url(wallet_id))
    expect_wallet(page, {"balance": "1000.00", "coins": "0.00"})
    assert exchange.wallet(wallet_id)["balance"] == "1000.00"


def test_buy_and_sell(exchange: Exchange, open_page, wallet_id):
    exchange.create(wallet_id)
    page = open_page(exchange.wallet_url(wallet_id))
    trade(page, "Buy", "1.50")
    expect(page.get_by_text("Bought 1.50 coins")).to_be_visible()
    bought = exchange.wallet(wallet_id)
    assert bought["coins"] == "1.50"
    expect_wallet(page, bought)

    choose(page, "Sell")
    page.get_by_role("button", name="Max").click()
    page.get_by_role("button", name="Sell 1.50 coins").click()
    expect(page.get_by_text("Sold 1.50 coins")).to_be_visible()
    sold = exchange.wallet(wallet_id)
    assert sold["coins"] == "0.00"
    expect_wallet(page, sold)


def test_maximum_can_be_bought(exchange: Exchange, open_page, wallet_id):
    exchange.create(wallet_id)
    page = open_page(exchange.wallet_url(wallet_id))
    # The real price moves while the test looks at what it makes of it.
    history = exchange.call("GET", "/price?points=60") | {"price": "73.21"}
    page.route("**/api/price?*", lambda route: route.fulfill(json=history))
    expect(page.get_by_test_id("price")).to_have_text("$73.21")
    page.get_by_role("button", name="Max").click()
    expect(page.get_by_label("Coins")).to_have_value("13.65")
    expect(page.get_by_test_id("estimate")).to_have_text("$999.32")


def test_a_refused_trade_says_why_and_changes_nothing(exchange: Exchange, open_page, wallet_id):
    before = exchange.create(wallet_id)
    page = open_page(exchange.wallet_url(wallet_id))
    trade(page, "Buy", "500.00")
    expect(page.get_by_role("alert")).to_contain_text("Not enough money")
    trade(page, "Sell", "0.01")
    expect(page.get_by_role("alert")).to_contain_text("do not have that many coins")
    expect_wallet(page, before)
    assert exchange.wallet(wallet_id) == before


def test_mining_can_be_checked(exchange: Exchange, open_page, wallet_id):
    exchange.create(wallet_id)
    page = open_page(exchange.wallet_url(wallet_id))
    choose(page, "Mine")
    page.get_by_role("button", name="Mine one coin").click()
    nonce = page.get_by_test_id("nonce").inner_text()
    shown = page.get_by_test_id("hash").inner_text()
    assert hashlib.sha256(f"{wallet_id}:{nonce}".encode()).hexdigest() == shown
    assert shown.startswith("0000")
    expect_wallet(page, {"balance": "1000.00", "coins": "1.00"})


def test_starting_over_is_confirmed(exchange: Exchange, open_page, wallet_id):
    exchange.create(wallet_id)
    exchange.call("POST", f"/wallets/{wallet_id}/mine")
    page = open_page(exchange.wallet_url(wallet_id))
    expect_wallet(page, {"balance": "1000.00", "coins": "1.00"})
    start_over = page.get_by_role("button", name="Start over")
    start_over.click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert exchange.wallet(wallet_id)["coins"] == "1.00"
    start_over.click()
    page.get_by_role("dialog").get_by_role("button", name="Start over").click()
    expect_wallet(page, {"balance": "1000.00", "coins": "0.00"})
    assert exchange.wallet(wallet_id)["coins"] == "0.00"


def test_the_wallet_is_found_again_from_another_port_and_browser(exchange: Exchange, open_page, wallet_id):
    exchange.create(wallet_id)
    mined = exchange.call("POST", f"/wallets/{wallet_id}/mine")["wallet"]
    with Frontend(exchange.url) as other:
        page = open_page(f"{other.url}/w/{wallet_id}")
        expect_wallet(page, mined)
        page.goto(other.url)
        expect(page).to_have_url(f"{other.url}/w/{wallet_id}")

    page = open_page(exchange.url)
    page.get_by_label("Name of an existing wallet").fill(wallet_id)
    page.get_by_role("button", name="Open wallet").click()
    expect_wallet(page, mined)


def test_changes_from_elsewhere_are_seen(exchange: Exchange, open_page, wallet_id):
    exchange.create(wallet_id)
    page = open_page(exchange.wallet_url(wallet_id))
    expect_wallet(page, {"balance": "1000.00", "coins": "0.00"})
    exchange.call("POST", f"/wallets/{wallet_id}/mine")
    expect_wallet(page, {"balance": "1000.00", "coins": "1.00"})


def test_an_unknown_wallet_is_offered(exchange: Exchange, open_page, wallet_id):
    page = open_page(exchange.wallet_url(wallet_id))
    expect(page.get_by_role("heading", name=f"There is no wallet called {wallet_id}")).to_be_visible()
    page.get_by_role("button", name="Create it").click()
    expect_wallet(page, exchange.create(wallet_id))


def test_the_panel_tells_where_the_data_lives(exchange: Exchange, open_page, wallet_id):
    exchange.create(wallet_id)
    page = open_page(exchange.wallet_url(wallet_id))
    info = exchange.call("GET", "/info")
    database = info["database"]
    expect(page.get_by_test_id("stop-backend")).to_contain_text(info["backend"]["pod"])
    expect(page.get_by_test_id("stop-database")).to_contain_text(database["pod"])
    expect(page.get_by_test_id("stop-database")).to_contain_text(re.compile(r"server started .+ ago"))
    expect(page.get_by_test_id("stop-volume")).to_contain_text(database["system_identifier"])
    expect(page.get_by_test_id("stop-volume")).to_contain_text(re.compile(r"\d+ wallets?"))


def test_the_price_is_live(exchange: Exchange, open_page, wallet_id):
    exchange.create(wallet_id)
    page = open_page(exchange.wallet_url(wallet_id))
    curve = page.locator(".recharts-area-curve")
    before = curve.get_attribute("d")
    assert before
    expect(curve).not_to_have_attribute("d", before)
    assert float(figure(page, "price")) > 0


def test_a_trade_by_keyboard_alone(exchange: Exchange, open_page, wallet_id):
    exchange.create(wallet_id)
    page = open_page(exchange.wallet_url(wallet_id))
    expect(page.get_by_role("button", name="Max")).to_be_enabled()
    tab_to(page, page.get_by_role("radio", name="Buy"))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Sell")).to_be_checked()
    page.keyboard.press("ArrowLeft")
    tab_to(page, page.get_by_label("Coins"))
    page.keyboard.type("0.50")
    tab_to(page, page.get_by_role("button", name="Buy 0.50 coins"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Bought 0.50 coins")).to_be_visible()
    assert exchange.wallet(wallet_id)["coins"] == "0.50"


def test_nothing_scrolls_sideways_on_a_phone(exchange: Exchange, open_page, wallet_id):
    page = open_page(exchange.url, viewport=PHONE)
    expect(page.get_by_role("button", name="Create wallet")).to_be_visible()
    assert overflow(page) == 0

    longest = f"{wallet_id}-{'W' * 64}"[:64]
    exchange.create(longest)
    page.goto(exchange.wallet_url(longest))
    choose(page, "Mine")
    page.get_by_role("button", name="Mine one coin").click()
    expect(page.get_by_test_id("hash")).to_be_visible()
    expect(page.locator(".recharts-area-curve")).to_be_visible()
    assert overflow(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_severe(exchange: Exchange, open_page, wallet_id, scheme):
    page = open_page(exchange.url, color_scheme=scheme)
    expect(page.get_by_role("button", name="Create wallet")).to_be_visible()
    assert severe_findings(page) == []

    exchange.create(wallet_id)
    page.goto(exchange.wallet_url(wallet_id))
    expect(page.locator(".recharts-area-curve")).to_be_visible()
    choose(page, "Mine")
    page.get_by_role("button", name="Mine one coin").click()
    expect(page.get_by_test_id("hash")).to_be_visible()
    assert severe_findings(page) == []

    trade(page, "Buy", "500.00")
    expect(page.get_by_role("alert")).to_be_visible()
    assert severe_findings(page) == []

    page.get_by_role("button", name="Start over").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert severe_findings(page) == []


def test_light_and_dark_differ_and_motion_can_be_off(exchange: Exchange, open_page):
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light, dark = (open_page(exchange.url, color_scheme=scheme).evaluate(background) for scheme in ("light", "dark"))
    assert light != dark

    page = open_page(exchange.url, reduced_motion="reduce")
    button = page.get_by_role("button", name="Create wallet")
    assert button.evaluate("element => getComputedStyle(element).transitionProperty") == "none"
