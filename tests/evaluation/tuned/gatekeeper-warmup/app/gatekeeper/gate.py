"""Counts what tenants do, and says when it is too much."""

from configparser import ConfigParser
from functools import cache

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import STRATEGIES
from prometheus_client import CollectorRegistry, Counter, generate_latest


class TooMuch(Exception):
    """A tenant has used up what its plan gives."""


class Gate:
    def __init__(self, config: ConfigParser) -> None:
        self._config = config
        self._limiter = STRATEGIES[config["gate"]["strategy"]](MemoryStorage())
        self._registry = CollectorRegistry()
        name = f"{config['metrics']['prefix']}_hits"
        self._hits = Counter(name, "What was let through.", ["action"], registry=self._registry)
        self.limit = cache(self._limit)

    def hit(self, tenant: str, action: str) -> None:
        if not self._limiter.hit(self.limit(tenant, action), tenant, action):
            raise TooMuch(f"{tenant}: {action}")
        self._hits.labels(action).inc()

    def left(self, tenant: str, action: str) -> int:
        return self._limiter.get_window_stats(self.limit(tenant, action), tenant, action)[1]

    def exposition(self) -> str:
        return generate_latest(self._registry).decode()

    def _limit(self, tenant: str, action: str) -> RateLimitItem:
        own = self._config[f"tenant {tenant}"]
        plan = self._config[f"plan {own['plan']}"]
        return parse(own.get(action) or plan.get(action) or self._config["gate"]["default"])
