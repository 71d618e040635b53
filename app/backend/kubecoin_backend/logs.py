"""Logs as JSON, one object a line, on standard output."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from flask import Flask, Response, g, request

log = logging.getLogger("kubecoin.request")


class JsonFormatter(logging.Formatter):
    """A record as one line; the members of `extra={"fields": …}` are added to it."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonFormatter}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
        }
    },
    "root": {"level": "INFO", "handlers": ["stdout"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        "gunicorn.access": {"level": "ERROR", "handlers": [], "propagate": True},
        # It logs every attempt to connect; kubecoin.database logs the absence, once.
        "psycopg.pool": {"level": "ERROR"},
    },
}
"""For `logging.config.dictConfig`; gunicorn's own messages included."""


def register(app: Flask) -> None:
    """Logs each request when its answer is ready."""
    app.after_request(_log_request)


def _log_request(response: Response) -> Response:
    fields = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "duration_ms": round((monotonic() - g.started) * 1000, 1),
    }
    if wallet := (request.view_args or {}).get("wallet_id"):
        fields["wallet"] = wallet
    if problem := g.get("problem"):
        fields["problem"] = problem
    log.info("request", extra={"fields": fields})
    return response
