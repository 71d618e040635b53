"""The page in Chromium, in front of the real exchange."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator

import pytest
from browser import Exchange, launch
from parts import Stack
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from stack.backend import Backend
from stack.nginx import Frontend
from stack.postgres import CREATE_TABLE, PostgreSQL

expect.set_options(timeout=15_000)

# Opened by the tests on the cluster, which have a report to open.
collect_ignore = [] if "KUBECOIN_REPORT" in os.environ else ["test_report.py"]


@pytest.fixture(scope="session")
def stack(postgres: PostgreSQL) -> Iterator[Stack]:
    """An exchange of our own, which all tests share."""
    with postgres.connect() as connection:
        connection.execute(CREATE_TABLE)
    with Backend(postgres.environment()) as backend, Frontend(backend.url) as frontend:
        yield Stack(postgres, backend, frontend)


@pytest.fixture(scope="session")
def exchange(request: pytest.FixtureRequest) -> Exchange:
    """The exchange at KUBECOIN_PAGE_URL, or else one of our own."""
    url = os.environ.get("KUBECOIN_PAGE_URL")
    return Exchange(url.rstrip("/") if url else request.getfixturevalue("stack").frontend.url)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with launch() as browser:
        yield browser


@pytest.fixture
def wallet_id() -> str:
    """A name that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser context of its own: nothing is remembered in it.

    Takes the options of Playwright's `new_context`. Fails the test for what the console calls an
    error: exceptions, and whatever the Content-Security-Policy refused.
    """
    contexts = []
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # Chromium reports each answer that is not 2xx; those of the API are what the tests provoke.
        refused_by_api = message.text.startswith("Failed to load resource") and "/api/" in message.location["url"]
        if message.type == "error" and not refused_by_api:
            errors.append(f"{message.text} ({message.location['url']})")

    def open_page(url: str, **options: object) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
