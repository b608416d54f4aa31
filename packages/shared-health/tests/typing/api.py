"""The public API as a type-checked file that is never run."""

from collections.abc import Callable
from typing import Any

from shared.health import (
    CheckResult,
    EventLoopLag,
    Health,
    HealthCheck,
    HealthServer,
    HealthStatus,
    Heartbeat,
    checks,
)


class Mine(HealthCheck):
    def check(self) -> HealthStatus:
        return HealthStatus.HEALTHY


class MineAsync(HealthCheck):
    async def check(self) -> CheckResult:
        return CheckResult(HealthStatus.DEGRADED, "slow")


server: HealthServer = HealthServer(Mine(), port=8080).start_in_background()
port: int = server.port
url: str = server.url
server.stop()

health = Health("orders", "1.0")
health.add(
    "postgres",
    lambda: None,
    groups=("ready",),
    critical=True,
    timeout=1.0,
    interval=10.0,
    initial_delay=0,
    fail_after=3,
    pass_after=1,
    stale_after=None,
)


@health.check("cache")
def cache() -> bool:
    return True


@health.check
async def queue() -> None: ...


kept: Callable[[], bool] = cache
heart = Heartbeat(30)
heart.beat()
health.add("worker", heart, groups=("live",))
health.start_draining()
health.start_draining(seconds=5)
status: HealthStatus = health.report("ready").status
HealthServer(health, port=0, extra={"/metrics": lambda: "up 1"}).start_in_background()


def more(client: Any, registry: Any) -> None:
    health.add("postgres pool", checks.postgres(client, timeout=2.0))
    health.add("redis", checks.redis(client))
    health.add("clickhouse", checks.clickhouse(client))
    health.add("qdrant", checks.qdrant(client))
    health.add("http", checks.http("http://payments/health", expect={200}, slow_after=0.5))
    health.add("disk", checks.disk("/", degraded_at=0.8, unhealthy_at=0.9), critical=False)
    health.add("memory", checks.memory())
    health.add("models", checks.ai_provider(lambda: ["a"], min_interval=60.0))
    health.add("loop", EventLoopLag(1.0), groups=("live",))
    health.instrument(prometheus=registry)
    health.on_change(lambda name, before, after: print(name, before, after.value))
    health.asgi_app()
    health.wsgi_app()
    with health, HealthServer(health, port=0) as running:
        print(running.url)
