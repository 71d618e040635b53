"""Errors as RFC 9457 problems, each kind with a stable `type`."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

log = logging.getLogger("kubecoin.problems")


@dataclass(frozen=True)
class Kind:
    """A kind of problem: what is the same each time it occurs."""

    slug: str
    status: int
    title: str


INVALID_WALLET_ID = Kind("invalid-wallet-id", 400, "This is no id of a wallet")
INVALID_AMOUNT = Kind("invalid-amount", 400, "This is no amount of coins")
INVALID_TRADE = Kind("invalid-trade", 400, "This is no trade")
INVALID_POINTS = Kind("invalid-points", 400, "This is no number of points")
INVALID_JSON = Kind("invalid-json", 400, "The body is no JSON object")
BAD_REQUEST = Kind("bad-request", 400, "The request cannot be understood")
WALLET_NOT_FOUND = Kind("wallet-not-found", 404, "There is no such wallet")
NOT_FOUND = Kind("not-found", 404, "There is nothing here")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This method is not allowed here")
INSUFFICIENT_BALANCE = Kind("insufficient-balance", 409, "Not enough money")
INSUFFICIENT_COINS = Kind("insufficient-coins", 409, "Not enough coins")
WALLET_FULL = Kind("wallet-full", 409, "The wallet cannot hold more")
BODY_TOO_LARGE = Kind("body-too-large", 413, "The body is too large")
UNSUPPORTED_MEDIA_TYPE = Kind("unsupported-media-type", 415, "The body is not JSON")
INTERNAL_ERROR = Kind("internal-error", 500, "Something went wrong in the backend")
DATABASE_UNAVAILABLE = Kind("database-unavailable", 503, "The database is away")
WALLETS_TABLE_MISSING = Kind("wallets-table-missing", 503, "The table wallets is missing")
MINE_EXHAUSTED = Kind("mine-exhausted", 503, "No nonce was found")

_BY_STATUS = {kind.status: kind for kind in (NOT_FOUND, METHOD_NOT_ALLOWED, BODY_TOO_LARGE, BAD_REQUEST)}

RETRY_AFTER = {"Retry-After": "1"}
"""For what is over soon: a second later is early enough."""


class Problem(Exception):
    """Raised to answer a request with a problem.

    `detail` is for people; `members` are added to the problem's JSON.
    """

    def __init__(self, kind: Kind, detail: str, headers: Mapping[str, str] | None = None, **members: object) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers or {}
        self.members = members

    def response(self) -> Response:
        """The answer; its slug is kept for the log of the request."""
        g.problem = self.kind.slug
        body = {
            "type": f"urn:kubecoin:problem:{self.kind.slug}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": request.path,
            **self.members,
        }
        return Response(
            json.dumps(body) + "\n",
            self.kind.status,
            self.headers,
            content_type="application/problem+json",
        )


def register(app: Flask) -> None:
    """Makes every error of the application a problem."""
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(Exception, _from_defect)


def _from_http(error: HTTPException) -> Response:
    kind = _BY_STATUS.get(error.code or 500, BAD_REQUEST)
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return Problem(kind, error.description or kind.title, headers).response()


def _from_defect(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return Problem(INTERNAL_ERROR, "The log of the backend says more.").response()
