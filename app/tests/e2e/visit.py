"""Chromium as a browser for $BROWSER: `visit.py FILE ADDRESS` writes down whose wallet it sees there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from browser import figure, launch


def main(file: Path, address: str) -> None:
    """Goes to the address, waits until a wallet is shown, and writes it all at once."""
    with launch() as browser:
        page = browser.new_page()
        page.goto(address)
        page.get_by_test_id("balance").wait_for()
        seen = {"url": page.url, "coins": figure(page, "coins"), "text": page.locator("body").inner_text()}
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(seen))
    unfinished.rename(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
