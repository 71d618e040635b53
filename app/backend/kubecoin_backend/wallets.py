"""The statements on the table `wallets`; each change is one statement with its condition in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from psycopg import errors
from psycopg.rows import DictRow

from .database import Session

Side = Literal["buy", "sell"]

_COLUMNS = "id, balance, coins, created_at, updated_at"

_TRADE = """
WITH traded AS (
    UPDATE wallets
    SET balance = balance {money} %(amount)s, coins = coins {coin} %(coins)s,
        updated_at = CURRENT_TIMESTAMP
    WHERE id = %(id)s AND {enough}
    RETURNING {columns}
)
SELECT true AS done, {columns} FROM traded
UNION ALL
SELECT false, {columns} FROM wallets WHERE id = %(id)s AND NOT EXISTS (SELECT FROM traded)
"""

_TRADES: dict[Side, str] = {
    "buy": _TRADE.format(money="-", coin="+", enough="balance >= %(amount)s", columns=_COLUMNS),
    "sell": _TRADE.format(money="+", coin="-", enough="coins >= %(coins)s", columns=_COLUMNS),
}


class NotFound(Exception):
    """There is no wallet of this id."""


class NotEnough(Exception):
    """The wallet lacks the money, or the coins, that the trade takes."""


class Full(Exception):
    """The result would not fit the table's DECIMAL(15,2)."""


@dataclass(frozen=True)
class Wallet:
    """A row of the table; its times are UTC without saying so."""

    id: str
    balance: Decimal
    coins: Decimal
    created_at: datetime
    updated_at: datetime


def create(session: Session, wallet_id: str) -> tuple[Wallet, bool]:
    """The wallet, and whether it was created now with the table's defaults."""
    created = session.query(
        f"INSERT INTO wallets (id) VALUES (%(id)s) ON CONFLICT DO NOTHING RETURNING {_COLUMNS}",
        {"id": wallet_id},
    )
    return (Wallet(**created[0]), True) if created else (get(session, wallet_id), False)


def get(session: Session, wallet_id: str) -> Wallet:
    """The wallet; raises `NotFound`."""
    return _one(session.query(f"SELECT {_COLUMNS} FROM wallets WHERE id = %(id)s", {"id": wallet_id}))


def count(session: Session) -> int:
    """How many wallets there are."""
    number: int = session.query("SELECT count(*) AS number FROM wallets")[0]["number"]
    return number


def recent(session: Session, limit: int) -> list[str]:
    """The ids of the wallets that were changed last, latest first."""
    rows = session.query("SELECT id FROM wallets ORDER BY updated_at DESC, id LIMIT %(limit)s", {"limit": limit})
    return [row["id"] for row in rows]


def trade(session: Session, wallet_id: str, side: Side, coins: Decimal, amount: Decimal) -> Wallet:
    """Buys or sells `coins` for `amount`; raises `NotFound`, `NotEnough` or `Full`."""
    params = {"id": wallet_id, "coins": coins, "amount": amount}
    rows = _change(session, _TRADES[side], params)
    if rows and not rows[0].pop("done"):
        raise NotEnough
    return _one(rows)


def credit(session: Session, wallet_id: str, coins: Decimal) -> Wallet:
    """Adds mined coins; raises `NotFound` or `Full`."""
    return _one(
        _change(
            session,
            "UPDATE wallets SET coins = coins + %(coins)s, updated_at = CURRENT_TIMESTAMP"
            f" WHERE id = %(id)s RETURNING {_COLUMNS}",
            {"id": wallet_id, "coins": coins},
        )
    )


def reset(session: Session, wallet_id: str) -> Wallet:
    """Back to what a new wallet has; raises `NotFound`."""
    return _one(
        _change(
            session,
            "UPDATE wallets SET balance = DEFAULT, coins = DEFAULT,"
            f" updated_at = CURRENT_TIMESTAMP WHERE id = %(id)s RETURNING {_COLUMNS}",
            {"id": wallet_id},
        )
    )


def _change(session: Session, statement: str, params: dict[str, object]) -> list[DictRow]:
    try:
        return session.execute(statement, params)
    except errors.NumericValueOutOfRange as error:
        raise Full from error


def _one(rows: list[DictRow]) -> Wallet:
    if not rows:
        raise NotFound
    return Wallet(**rows[0])
