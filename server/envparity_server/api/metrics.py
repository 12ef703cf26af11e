"""What Prometheus reads: counted in this process, and counted in the database when it asks.

https://prometheus.io/docs/practices/naming/
"""

from datetime import datetime

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from sqlalchemy import Connection

from envparity_agent import __version__
from envparity_server.storage import health, jobs

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 5, 30)


class Metrics:
    """The metrics of one application. No label has a value that comes from outside."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests answered.", "method", "route", "status")
        self.reports = self._counter("reports", "Reports of agents, by what became of them.", "outcome")
        self.objects = self._counter("objects_received", "Objects of fingerprints that agents sent.")
        self.seconds = Histogram(
            "envparity_request_seconds", "How long requests took.", ["route"], buckets=_SECONDS, registry=self._registry
        )
        self._hosts = self._gauge("hosts", "Hosts by state.", "state")
        self._waiting = self._gauge("deliveries_waiting", "Notifications that are not delivered yet.")
        self._ran = self._gauge("job_last_run_timestamp_seconds", "When a job last ended, in any process.", "job")
        self._failed = self._gauge("job_failed", "1 where the last run of a job failed.", "job")
        Info("envparity_build", "The server.", registry=self._registry).info({"version": __version__})

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"envparity_{name}", words, labels, registry=self._registry)

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(f"envparity_{name}", words, labels, registry=self._registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request by the template of its route."""
        known = method if method in _METHODS else "other"
        self.requests.labels(known, route, status).inc()
        self.seconds.labels(route).observe(seconds)

    def exposition(self, connection: Connection, now: datetime) -> bytes:
        """All of it in Prometheus' text format."""
        counted = health.counts(connection, now)
        for state, number in counted.hosts.items():
            self._hosts.labels(state).set(number)
        self._waiting.set(counted.deliveries_waiting)
        for one in jobs.states(connection):
            self._ran.labels(one.name).set(one.ended_at.timestamp() if one.ended_at else 0)
            self._failed.labels(one.name).set(one.problem is not None)
        return generate_latest(self._registry)


def metrics_of(request: Request) -> Metrics:
    """The application's metrics."""
    metrics: Metrics = request.app.state.metrics
    return metrics
