"""The public API as a type-checked file that is never run."""

from collections.abc import Callable

from shared.lifecycle import GracefulShutdown, HookFailure, ShutdownReport, sd_notify

shutdown = GracefulShutdown(drain_delay=5, hook_timeout=10, total_timeout=25)


@shutdown.on_shutdown
def bare() -> None: ...


@shutdown.on_shutdown(priority=10, timeout=2.5)
async def with_arguments() -> int:
    return 1


kept: Callable[[], None] = bare
shutdown.on_drain(bare)
shutdown.trigger()
report: ShutdownReport = shutdown.wait_for_signal()
failures: tuple[HookFailure, ...] = report.failures
code: int = report.exit_code
sent: bool = sd_notify("READY=1")

with shutdown.track():
    pass


async def main() -> None:
    async with shutdown.track():
        pass
    done: ShutdownReport = await shutdown.wait()
    async with shutdown.lifespan(None):
        print(done)
