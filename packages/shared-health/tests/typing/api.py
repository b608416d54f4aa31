"""The public API as a type-checked file that is never run."""

from collections.abc import Callable

from shared.health import CheckResult, Health, HealthCheck, HealthServer, HealthStatus, Heartbeat


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
