"""Run the reference service: ``./scripts/hatch run demo`` (``--help`` shows the options)."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from shared.config import ConfigurationError
from shared.db import DatabaseError
from shared.lifecycle import GracefulShutdown
from shared.observability import (
    TracingConfig,
    configure_logging,
    flush,
    get_logger,
    set_log_level,
    setup_tracing,
)

from .data_dir import claim
from .options import Options, Refusal, parse, refuse
from .result import Result
from .screen import Screen
from .service import Service
from .sources.csv_file import CsvError
from .stores import read_settings, start_embedded


def main(arguments: list[str]) -> int:
    """Run once. 0: all is well; 1: something was lost; 2: it could not start."""
    begun = time.monotonic()
    try:
        options = parse(arguments)
        if options.csv:
            options.csv.check()
        with ExitStack() as stack:
            return run(options, stack, begun)
    except (Refusal, CsvError, ConfigurationError, DatabaseError, OSError) as reason:
        return refuse(reason)


def run(options: Options, stack: ExitStack, begun: float) -> int:
    """Start, watch, drain, check, report."""
    screen = Screen(quiet=options.json)
    result = Result()
    shutdown = GracefulShutdown(drain_delay=0.5, hook_timeout=120.0, total_timeout=150.0)
    shutdown.install()
    stack.callback(shutdown.uninstall)
    data = options.data
    if data is None:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watcher-")))
    stack.enter_context(claim(data))
    variables: dict[str, str] = {}
    if not options.real:
        screen.say("Starting four embedded stores, nothing to install:")
        variables = start_embedded(data, stack, screen.say)
    settings = read_settings(variables)
    configure_logging(
        settings.logging.level,
        format=settings.logging.format,
        output=str(data / "watcher.log") if options.json else "stderr",
        service="watcher",
    )
    # The service logs once what these libraries would log.
    for library in (
        "clickhouse_connect",
        "httpx",
        "matplotlib",
        "stamina",
        "urllib3.connectionpool",
    ):
        set_log_level("ERROR", library)
    stack.callback(flush, 2.0)
    tracer = setup_tracing(TracingConfig(service_name="watcher", exporter_type="none"))
    stack.callback(tracer.shutdown, 2.0)
    service = Service(options, settings, result, stack)
    service.start(shutdown)
    for name, url in result.urls.items():
        screen.say(f"  {name:<11} {url}")
    get_logger("watcher").info("started", urls=result.urls)
    until = "until SIGTERM or Ctrl-C" if options.serve else f"for {options.duration:g} s"
    screen.say(f"Watching this machine, stock prices and a cloud that fails, {until} ...")
    service.watch(shutdown)
    screen.say("Draining: no new points, every point kept, the last windows closed ...")
    shutdown.trigger("the end of the run")
    shutdown.join()
    service.finish()
    result.seconds = round(time.monotonic() - begun, 2)
    screen.summary(result)
    screen.last(result)
    return 1 if result.mismatches or result.lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
