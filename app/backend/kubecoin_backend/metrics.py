"""What Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .database import Database

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE", "PATCH"})


class Metrics:
    """The metrics of one application."""

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "kubecoin_http_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.durations = Histogram(
            "kubecoin_http_request_duration_seconds",
            "Time from a request's start to its answer",
            ("method", "route"),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0),
            registry=self.registry,
        )
        self.trades = Counter("kubecoin_trades", "Trades carried out", ("side",), registry=self.registry)
        self.registry.register(_DatabaseCollector(database))

    def register(self, app: Flask) -> None:
        """Counts the requests of an application and serves the metrics at `/metrics`."""
        app.after_request(self._observe)
        blueprint = Blueprint("metrics", __name__)
        blueprint.get("/metrics")(self._page)
        app.register_blueprint(blueprint)

    def _page(self) -> Response:
        return Response(generate_latest(self.registry), content_type=CONTENT_TYPE_LATEST)

    def _observe(self, response: Response) -> Response:
        # Labels come from small fixed sets: a client must not be able to grow the memory.
        method = request.method if request.method in _METHODS else "other"
        route = request.url_rule.rule if request.url_rule else "unmatched"
        self.requests.labels(method, route, str(response.status_code)).inc()
        self.durations.labels(method, route).observe(monotonic() - g.started)
        return response


class _DatabaseCollector(Collector):
    """The state of the pool, read when it is asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[Metric]:
        stats = self._database.pool.get_stats()
        away = self._database.reachability.away
        yield GaugeMetricFamily("kubecoin_database_up", "Whether the database answered last time", 0 if away else 1)
        for name, key, text in (
            ("size", "pool_size", "Connections of the pool"),
            ("available", "pool_available", "Idle connections"),
            ("waiting", "requests_waiting", "Statements that wait for a connection"),
        ):
            yield GaugeMetricFamily(f"kubecoin_database_pool_{name}", text, stats.get(key, 0))
        for name, key, text in (
            ("connects", "connections_num", "Attempts to connect"),
            ("connect_errors", "connections_errors", "Attempts to connect that failed"),
            ("wait_errors", "requests_errors", "Statements that got no connection"),
        ):
            yield CounterMetricFamily(f"kubecoin_database_pool_{name}", text, stats.get(key, 0))
