"""Chromium, and what the tests do with the page in it."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from stack.nginx import SOURCE

AXE = SOURCE / "node_modules" / "axe-core" / "axe.min.js"

# Nothing of Chromium's own may go out to the network.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# The box of a radio button is invisible: the text beside it shows its state.
OUTLINE = """element => {
    const shown = element.type === 'radio' ? element.nextElementSibling : element;
    return getComputedStyle(shown).outlineStyle;
}"""


@contextmanager
def launch() -> Iterator[Browser]:
    """Debian's Chromium, headless, with a profile that is thrown away."""
    executable = shutil.which("chromium")
    if not executable:
        raise RuntimeError("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Exchange:
    """An exchange by the address of its page, and its API without the page."""

    url: str

    def wallet_url(self, wallet_id: str) -> str:
        return f"{self.url}/w/{wallet_id}"

    def call(self, method: str, path: str) -> Any:
        """Calls `/api` + path and returns the decoded answer; raises `HTTPError` for a problem."""
        request = urllib.request.Request(f"{self.url}/api{path}", method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def create(self, wallet_id: str) -> Any:
        return self.call("PUT", f"/wallets/{wallet_id}")

    def wallet(self, wallet_id: str) -> Any:
        return self.call("GET", f"/wallets/{wallet_id}")


def choose(page: Page, what: str) -> None:
    """Picks Buy, Sell or Mine."""
    page.get_by_role("radio", name=what).check()


def trade(page: Page, side: str, coins: str) -> None:
    """Fills in the amount and sends it, without waiting for what becomes of it."""
    choose(page, side)
    page.get_by_label("Coins").fill(coins)
    page.get_by_role("button", name=f"{side} {coins} coins").click()


def figure(page: Page, name: str) -> str:
    """One of the wallet's figures as a decimal: balance, coins, worth or price."""
    return page.get_by_test_id(name).inner_text().lstrip("$").replace(",", "")


def expect_wallet(page: Page, wallet: Any) -> None:
    """Waits until the page shows this balance and these coins."""
    expect(page.get_by_test_id("balance")).to_have_text(f"${float(wallet['balance']):,.2f}")
    expect(page.get_by_test_id("coins")).to_have_text(f"{float(wallet['coins']):,.2f}")


def tab_to(page: Page, target: Locator) -> None:
    """Presses Tab until `target` has the focus, and checks that the focus can be seen there."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            shown = target.evaluate(OUTLINE)
            assert shown != "none", "the focus cannot be seen"
            return
    raise AssertionError(f"Tab does not reach {target}")


def severe_findings(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page as it is now."""
    page.evaluate(Path(AXE).read_text())
    result = page.evaluate("axe.run()")
    assert result["passes"], "axe-core has looked at nothing"
    return [
        f"{finding['id']} ({finding['impact']}): {node['html']}"
        for finding in result["violations"]
        if finding["impact"] in {"serious", "critical"}
        for node in finding["nodes"]
    ]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
