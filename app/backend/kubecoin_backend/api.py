"""The calls under `/api`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

from flask import Blueprint, current_app, g, request

from . import connection, database, mining, money, price, problems, wallets
from .problems import Problem
from .settings import Settings

api = Blueprint("api", __name__, url_prefix="/api")

RECENT = 10
MINED = Decimal("1.00")
TIME_TO_CREDIT = 0.2
"""Seconds of a request's budget that the search for a proof leaves to the database."""
MAX_POINTS = 500
DEFAULT_POINTS = 60

_WALLET_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Json = dict[str, Any]


@api.before_request
def check_wallet_id() -> None:
    """Refuses an id that no wallet can have."""
    wallet_id = (request.view_args or {}).get("wallet_id")
    if wallet_id is not None and not _WALLET_ID.fullmatch(wallet_id):
        raise Problem(
            problems.INVALID_WALLET_ID,
            "An id has 1 to 64 letters, digits, dots, underscores or hyphens.",
        )


@api.put("/wallets/<wallet_id>")
def put_wallet(wallet_id: str) -> tuple[Json, int]:
    wallet, created = wallets.create(g.session, wallet_id)
    return _wallet(wallet), 201 if created else 200


@api.get("/wallets/<wallet_id>")
def get_wallet(wallet_id: str) -> Json:
    return _wallet(wallets.get(g.session, wallet_id))


@api.get("/wallets")
def list_wallets() -> Json:
    return {"count": wallets.count(g.session), "recent": wallets.recent(g.session, RECENT)}


@api.post("/wallets/<wallet_id>/trades")
def post_trade(wallet_id: str) -> Json:
    side, coins = _trade(_json_object())
    now = price.now().price
    amount = money.cost(coins, now)
    try:
        wallet = wallets.trade(g.session, wallet_id, side, coins, amount)
    except wallets.NotEnough:
        _refuse(side, coins, amount)
    current_app.extensions["metrics"].trades.labels(side).inc()
    return {
        "side": side,
        "coins": money.text(coins),
        "price": money.text(now),
        "amount": money.text(amount),
        "wallet": _wallet(wallet),
    }


@api.post("/wallets/<wallet_id>/mine")
def post_mine(wallet_id: str) -> Json:
    wallets.get(g.session, wallet_id)
    proof = mining.mine(wallet_id, g.deadline - TIME_TO_CREDIT)
    wallet = wallets.credit(g.session, wallet_id, MINED)
    return {"nonce": str(proof.nonce), "hash": proof.hash, "wallet": _wallet(wallet)}


@api.post("/wallets/<wallet_id>/reset")
def post_reset(wallet_id: str) -> Json:
    return _wallet(wallets.reset(g.session, wallet_id))


@api.get("/price")
def get_price() -> Json:
    count = _points(request.args.get("points", str(DEFAULT_POINTS)))
    now = price.now()
    return {
        "price": money.text(now.price),
        "at": _time(now.at),
        "interval": price.INTERVAL,
        "points": [{"at": _time(point.at), "price": money.text(point.price)} for point in price.history(now, count)],
    }


@api.get("/info")
def get_info() -> Json:
    settings: Settings = current_app.extensions["settings"]
    backend = {"pod": settings.pod}
    try:
        server = database.identify(g.session)
        number = _count_wallets()
    except database.Unavailable as error:
        raise _unavailable(error, backend=backend) from error
    return {
        "backend": backend,
        "database": {
            "host": settings.db_host,
            "pod": server.name,
            "started_at": _time(server.started_at),
            "system_identifier": server.system_identifier,
            "wallets": number,
            "wallets_table": number is not None,
        },
    }


@api.get("/connection")
def get_connection() -> Json:
    settings: Settings = current_app.extensions["settings"]
    backend = {"pod": settings.pod}
    try:
        found = current_app.extensions["examiner"].examine(g.started + connection.BUDGET)
    except connection.Refused as error:
        raise _unavailable(error, backend=backend, reason=error.reason) from error
    return {
        "backend": backend,
        "database": {
            "host": settings.db_host,
            "pod": found.server.name,
            "started_at": _time(found.server.started_at),
            "system_identifier": found.server.system_identifier,
            "role": found.role,
            "read_only": found.read_only,
            "in_recovery": found.in_recovery,
            "wallets_table": found.wallets_table,
            "missing_privileges": found.missing_privileges,
        },
    }


@api.app_errorhandler(database.Unavailable)
def database_unavailable(error: database.Unavailable) -> Any:
    return _unavailable(error).response()


@api.app_errorhandler(database.TableMissing)
def table_missing(_: database.TableMissing) -> Any:
    return Problem(
        problems.WALLETS_TABLE_MISSING,
        "The database has no table wallets yet. Create it with: kubectl kubecoin init-db",
    ).response()


@api.app_errorhandler(wallets.NotFound)
def wallet_not_found(_: wallets.NotFound) -> Any:
    wallet_id = (request.view_args or {})["wallet_id"]
    return Problem(
        problems.WALLET_NOT_FOUND,
        f"There is no wallet {wallet_id}. PUT /api/wallets/{wallet_id} creates it.",
    ).response()


@api.app_errorhandler(wallets.Full)
def wallet_full(_: wallets.Full) -> Any:
    return Problem(problems.WALLET_FULL, "A wallet holds less than 10,000,000,000,000.00 of each.").response()


@api.app_errorhandler(mining.NothingFound)
def nothing_found(_: mining.NothingFound) -> Any:
    return Problem(
        problems.MINE_EXHAUSTED,
        "The search ended without a nonce; nothing was changed. Try again.",
        problems.RETRY_AFTER,
    ).response()


def _unavailable(error: database.Unavailable, **members: object) -> Problem:
    detail = "The database does not answer. It may be restarting."
    if isinstance(error, database.OutcomeUnknown):
        detail = (
            "The database did not confirm this: it is not known whether it was carried out."
            " Look at the wallet before trying again."
        )
    elif isinstance(error, connection.Refused):
        detail = "The backend could not use a new connection to the database."
    elif request.method == "POST":
        detail += " Nothing was changed."
    return Problem(problems.DATABASE_UNAVAILABLE, detail, problems.RETRY_AFTER, **members)


def _json_object() -> Json:
    if request.mimetype != "application/json":
        raise Problem(problems.UNSUPPORTED_MEDIA_TYPE, "Send JSON, with Content-Type: application/json.")
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise Problem(problems.INVALID_JSON, "The body cannot be read as JSON.") from error
    if not isinstance(body, dict):
        raise Problem(problems.INVALID_JSON, "The body is JSON, but no object.")
    return body


def _trade(body: Json) -> tuple[wallets.Side, Decimal]:
    side = body.get("side")
    if side not in ("buy", "sell"):
        raise Problem(problems.INVALID_TRADE, 'The member side is "buy" or "sell".')
    try:
        return side, money.parse(body.get("coins"))
    except money.InvalidAmount as error:
        raise Problem(
            problems.INVALID_AMOUNT,
            'The member coins is a string like "1.50": more than 0, at most 13 digits before the point and 2 after it.',
        ) from error


def _refuse(side: wallets.Side, coins: Decimal, amount: Decimal) -> NoReturn:
    if side == "buy":
        raise Problem(
            problems.INSUFFICIENT_BALANCE,
            f"{money.text(coins)} coins cost {money.text(amount)}, more than the wallet has.",
        )
    raise Problem(problems.INSUFFICIENT_COINS, f"The wallet has fewer than {money.text(coins)} coins.")


def _points(text: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_POINTS:
        raise Problem(problems.INVALID_POINTS, f"points is a number from 1 to {MAX_POINTS}.")
    return int(text)


def _count_wallets() -> int | None:
    try:
        return wallets.count(g.session)
    except database.TableMissing:
        return None


def _wallet(wallet: wallets.Wallet) -> Json:
    return {
        "id": wallet.id,
        "balance": money.text(wallet.balance),
        "coins": money.text(wallet.coins),
        "created_at": _time(wallet.created_at),
        "updated_at": _time(wallet.updated_at),
    }


def _time(moment: datetime) -> str:
    """RFC 3339 in UTC; a moment without a zone is UTC already."""
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat() + "Z"
