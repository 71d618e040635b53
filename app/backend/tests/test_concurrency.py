"""Trades at the same time on one wallet, through gunicorn's threads."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from calls import Caller, together


def test_fifty_concurrent_buys_never_overdraw_and_conserve_value(caller: Caller) -> None:
    caller("PUT", "/api/wallets/anna")
    # No price makes more than 40 such buys affordable, and each makes at least 10.
    buy = partial(caller, "POST", "/api/wallets/anna/trades", {"side": "buy", "coins": "0.50"})
    answers = together([buy] * 50)

    done = [answer.json for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status != 200]
    assert 10 <= len(done) <= 40
    assert all((answer.status, answer.problem) == (409, "insufficient-balance") for answer in refused)

    wallet = caller("GET", "/api/wallets/anna").json
    spent = sum(Decimal(trade["amount"]) for trade in done)
    assert Decimal(wallet["balance"]) == 1000 - spent >= 0
    assert Decimal(wallet["coins"]) == len(done) * Decimal("0.50")
    assert len({trade["wallet"]["coins"] for trade in done}) == len(done)


def test_wallets_are_created_once(caller: Caller) -> None:
    answers = together([partial(caller, "PUT", "/api/wallets/anna")] * 20)
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
