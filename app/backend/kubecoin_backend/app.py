"""The application."""

from __future__ import annotations

import atexit
import os
from time import monotonic

from flask import Flask, g

from . import logs, problems
from .api import api
from .connection import Examiner
from .database import Database
from .metrics import Metrics
from .settings import Settings

REQUEST_BUDGET = 1.2
"""Seconds that a request may spend on the database. An answer is promised within 2: the rest is
for waiting for a thread before, behind requests that spend theirs."""

MAX_BODY = 4096


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application; by default its settings are those of the environment.

    Raises `SettingsError`. It starts without the database being there.
    """
    settings = settings or Settings.from_environment(os.environ)
    database = Database(settings)
    atexit.register(database.close)
    metrics = Metrics(database)

    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    app.extensions.update(settings=settings, database=database, examiner=Examiner(settings), metrics=metrics)

    @app.before_request
    def start_request() -> None:
        g.started = monotonic()
        g.deadline = g.started + REQUEST_BUDGET
        g.session = database.session(g.deadline)

    @app.get("/healthz")
    @app.get("/readyz")
    def alive() -> tuple[str, dict[str, str]]:
        # Ready without the database too: its restart must not empty the Service.
        return "ok\n", {"Content-Type": "text/plain; charset=utf-8"}

    app.register_blueprint(api)
    metrics.register(app)
    logs.register(app)
    problems.register(app)
    return app
