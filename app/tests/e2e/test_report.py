"""The report of persistence-demo that KUBECOIN_REPORT names, of either kind, which a run on a cluster has written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser import overflow, severe_findings
from playwright.sync_api import Locator, expect

PHONE = {"width": 375, "height": 740}
PAPER = {"width": 640, "height": 900}


@pytest.fixture
def report() -> str:
    return Path(os.environ["KUBECOIN_REPORT"]).absolute().as_uri()


def places(part: Locator, selector: str) -> list[tuple[float, float]]:
    """The middles of the elements as they are drawn, in their order in the part."""
    boxes = [element.bounding_box() for element in part.locator(selector).all()]
    return [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes if box]


def test_it_opens_and_asks_for_nothing_else(report: str, open_page):
    page = open_page(report)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(os.environ["KUBECOIN_REPORT_TITLE"])
    expect(page.get_by_text("verdict: holds")).to_be_visible()
    assert [url for url in requests if not url.startswith("data:")] == [report]


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 800}], ids=["phone", "desk"])
def test_each_timeline_is_in_order(report: str, open_page, viewport):
    page = open_page(report, viewport=viewport)
    sections = page.locator("section", has=page.locator("svg.timeline")).all()
    assert sections
    for section in sections:
        in_order(section)


def in_order(section: Locator) -> None:
    points = places(section, ".step .point")
    assert len(points) >= 8
    assert points == sorted(points), "from left to right"
    heights = [y for _, y in points]
    assert heights == sorted(set(heights)), "from top to bottom"
    names = section.locator(".step .name").all_text_contents()
    assert names[0] == "requested"
    answered = [name for name in names if name in ("query answered", "name updated")]
    assert names.index("gone") < names.index("new pod created") < names.index(answered[0])
    times = [float(time.strip("+ s")) for time in section.locator(".step .time").all_text_contents()]
    assert times == sorted(times)
    assert times[0] == 0
    assert section.locator(".gap").count() == 2
    # The table below the picture says the same.
    assert section.locator("svg.timeline + table tbody th").all_text_contents() == names


def test_each_check_says_in_words_whether_it_holds(report: str, open_page):
    page = open_page(report)
    words = page.locator(".checks .word").all_inner_texts()
    assert len(words) >= 10
    assert all(word.endswith("holds") for word in words), words
    assert "same claim" in page.locator(".checks strong").all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways_and_axe_finds_nothing_severe(report: str, open_page, scheme):
    page = open_page(report, viewport=PHONE, color_scheme=scheme)
    assert overflow(page) == 0
    assert severe_findings(page) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    assert overflow(page) == 0
    assert severe_findings(page) == []


def test_light_dark_and_paper_are_not_the_same(report: str, open_page):
    page = open_page(report, viewport=PAPER, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.emulate_media(media="print")
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    assert dark != "rgb(255, 255, 255)"
    assert overflow(page) == 0


def test_hostile_text_is_shown_as_text(report: str, open_page):
    page = open_page(report)
    hostile = os.environ["KUBECOIN_REPORT_TEXT"]
    assert "<script>" in hostile
    expect(page.locator(".checks .evidence", has_text=hostile).first).to_be_visible()
    assert page.locator("script").count() == 0
    assert page.title() == f"{os.environ['KUBECOIN_REPORT_TITLE']}: holds"
