"""Speed of the logging, metrics and tracing paths against a floor and the named peers.

    python run.py [--quick]

Every figure is a ratio of things measured in the same round; the table shows the median round.
Everything writes to /dev/null, so that the disk does not hide the differences.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import loguru
import orjson
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as PlainCounter
from pythonjsonlogger.json import JsonFormatter

import shared.observability as obs

BOUND = {"region": "eu", "shard": 7, "tenant": "acme"}


def per_call(fn, calls):
    """Return the microseconds of one call, in the thread's own CPU time: other load does not count."""
    start = time.thread_time()
    for number in range(calls):
        fn(number)
    return (time.thread_time() - start) / calls * 1e6


def rounds(candidates, count, calls):
    """Interleave the candidates; return the microseconds of each, one list per candidate."""
    times = {name: [] for name in candidates}
    for fn in candidates.values():
        per_call(fn, calls // 10 + 1)
    for _ in range(count):
        for name, fn in candidates.items():
            times[name].append(per_call(fn, calls))
    return times


def ratio(times, name, base):
    return statistics.median(a / b for a, b in zip(times[name], times[base], strict=True))


def logging_candidates():
    null = os.open("/dev/null", os.O_WRONLY)
    now, write, dumps = datetime.now, os.write, orjson.dumps
    options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE

    def floor_log(event, **fields):
        record = {
            "timestamp": now(UTC), "level": "info", "logger": "bench", "message": event,
            "module": "run", "function": "floor", "line": 1, **BOUND, **fields,
        }  # fmt: skip
        write(null, dumps(record, option=options))

    obs.configure_logging("INFO", output="/dev/null")
    ours = obs.get_logger("bench").bind(**BOUND)
    through_us = logging.getLogger("bench")

    text_file = open("/dev/null", "w")  # noqa: SIM115, PTH123 - for the whole run
    byte_file = open("/dev/null", "wb")  # noqa: SIM115, PTH123
    default = structlog.wrap_logger(
        structlog.PrintLogger(text_file),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.dev.set_exc_info,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=False,
    ).bind(**BOUND)

    def tuned(*more):
        return structlog.wrap_logger(
            structlog.BytesLogger(byte_file),
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                *more,
                structlog.processors.format_exc_info,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(serializer=orjson.dumps),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        ).bind(**BOUND)

    parameter = structlog.processors.CallsiteParameter
    site = structlog.processors.CallsiteParameterAdder(
        {parameter.MODULE, parameter.FUNC_NAME, parameter.LINENO}
    )
    fast, same = tuned(), tuned(site)

    def std(name, formatter):
        logger = logging.getLogger(name)
        handler = logging.StreamHandler(text_file)
        handler.setFormatter(formatter)
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel("INFO")
        return logger

    plain = std("plain", logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    fields = ["asctime", "levelname", "name", "message", "module", "funcName", "lineno"]
    nothing = logging.getLogger("nothing")
    nothing.addHandler(logging.NullHandler())
    nothing.propagate = False
    python_json = std("pyjson", JsonFormatter(fields))
    loguru.logger.remove()
    loguru.logger.add(text_file, serialize=True, level="INFO")
    lg = loguru.logger.bind(**BOUND)

    def with_fields(log):
        return lambda n: log(
            "order placed",
            order_id=n,
            customer="c-1234",
            amount=12.5,
            paid=True,
            path="/api/orders",
        )

    def with_extra(log):
        return lambda n: log(
            "order placed",
            extra={
                "order_id": n,
                "customer": "c-1234",
                "amount": 12.5,
                "paid": True,
                "path": "/api/orders",
            },
        )

    return {
        "floor: orjson to a raw descriptor": with_fields(floor_log),
        "shared.observability": with_fields(ours.info),
        "standard logging through us, %s arguments": lambda n: through_us.info(
            "order %s placed by %s", n % 100, "c-1234"
        ),
        "standard logging through us, 5 extra fields": with_extra(through_us.info),
        "standard logging, no handler at all, 5 extra fields": with_extra(nothing.info),
        "structlog, default": with_fields(default.info),
        "structlog, tuned": with_fields(fast.info),
        "structlog, tuned, with call site": with_fields(same.info),
        "standard logging, text, no fields": lambda n: plain.info(
            "order %s placed by %s", n, "c-1234"
        ),
        "python-json-logger": with_extra(python_json.info),
        "loguru, serialize": with_fields(lg.info),
    }


def unique_texts():
    """Return a call with texts never seen before, which no cache knows."""
    log = obs.get_logger("bench").bind(**BOUND)
    return lambda n: log.info(
        "order placed",
        order_id=n,
        customer=f"customer-{n}",
        request=f"9f1b-{n:08d}-4c1e-77aa",
        paid=True,
    )


class Empty:
    def debug(self, event="", /, *args, **fields):
        pass


def small_candidates():
    log, empty = obs.get_logger("bench"), Empty()
    registry = CollectorRegistry()
    ours = obs.counter("ours_total", "x", ["method", "status"], registry=registry)
    own_child = ours.labels("GET", "200")
    peer = PlainCounter("peer_total", "x", ["method", "status"], registry=registry)
    child = peer.labels("GET", "200")

    def plain():
        pass

    traced = obs.trace_span("bench", kind="x")(plain)

    def block():
        with obs.trace_span("bench", kind="x"):
            pass

    return {
        "empty method": lambda n: empty.debug(
            "order", order_id=n, customer="c", amount=1.5, a=1, b=2
        ),
        "filtered-out call": lambda n: log.debug(
            "order", order_id=n, customer="c", amount=1.5, a=1, b=2
        ),
        "cached child (prometheus-client)": lambda n: child.inc(),
        "cached child (ours)": lambda n: own_child.inc(),
        "labels by position": lambda n: ours.labels("GET", "200").inc(),
        "labels by name": lambda n: ours.labels(method="GET", status="200").inc(),
        "labels (prometheus-client)": lambda n: peer.labels("GET", "200").inc(),
        "plain call": lambda n: plain(),
        "trace_span, decorator": lambda n: traced(),
        "trace_span, with block": lambda n: block(),
    }


def import_ratio(count):
    """Return our import time divided by that of the three libraries, each in its own process."""
    code = "import time; s = time.perf_counter(); import {}; print(time.perf_counter() - s)"
    libraries = "structlog, prometheus_client, opentelemetry.trace"

    def seconds(what):
        command = [sys.executable, "-c", code.format(what)]
        return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    pairs = [(seconds("shared.observability"), seconds(libraries)) for _ in range(count)]
    return statistics.median(a / b for a, b in pairs), statistics.median(a for a, _ in pairs) * 1000


def stalled_p99(calls):
    """Return the caller's 99th percentile in milliseconds, with a queue before an unread pipe."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as output:
        obs.configure_logging(output=output, queue=obs.QueuePolicy(1000))
        log = obs.get_logger("bench")
        times = []
        for number in range(calls):
            start = time.perf_counter()
            log.info("order placed", order_id=number, text="x" * 200)
            times.append(time.perf_counter() - start)
        drain = threading.Thread(
            target=lambda: [None for _ in iter(lambda: os.read(reader, 65536), b"")]
        )
        drain.daemon = True
        drain.start()
        obs.flush(10)
        obs.configure_logging("INFO", output="/dev/null")
    drain.join(5)
    os.close(reader)
    return sorted(times)[int(calls * 0.99)] * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick = parser.parse_args().quick
    count, calls = (7, 500) if quick else (41, 2000)
    bars = []

    def bar(what, value, limit, unit="x", *, least=False):
        met = value >= limit if least else value <= limit
        sign = ">=" if least else "<="
        bars.append(
            (what, f"{value:.2f}{unit}", f"{sign} {limit}{unit}", "met" if met else "missed")
        )

    import_share, import_ms = import_ratio(5 if quick else 15)
    logs = rounds(logging_candidates(), count, calls)
    floor, ours = "floor: orjson to a raw descriptor", "shared.observability"
    bar(
        "JSON record (5 fields, 3 bound, call site, redaction) over the floor",
        ratio(logs, ours, floor),
        2.0,
    )
    bar("structlog's default over ours", ratio(logs, "structlog, default", ours), 4.6, least=True)
    bar(
        "a tuned structlog (with call site) over ours",
        ratio(logs, "structlog, tuned, with call site", ours),
        2.7,
        least=True,
    )
    bar(
        "standard logging through us, % arguments, over the floor",
        ratio(logs, "standard logging through us, %s arguments", floor),
        5.0,
    )
    bar(
        "standard logging through us, 5 extra fields, over the floor",
        ratio(logs, "standard logging through us, 5 extra fields", floor),
        5.0,
    )
    small = rounds(small_candidates(), count, calls * 5)
    bar(
        "filtered-out call over an empty method",
        ratio(small, "filtered-out call", "empty method"),
        1.3,
    )
    peer_child = "cached child (prometheus-client)"
    bar(
        "counter with labels by position over a cached child of prometheus-client",
        ratio(small, "labels by position", peer_child),
        1.2,
    )
    bar(
        "counter with labels by name over a cached child of prometheus-client",
        ratio(small, "labels by name", peer_child),
        1.2,
    )
    plain = statistics.median(small["plain call"])
    for name in ("trace_span, decorator", "trace_span, with block"):
        bar(
            f"{name}, without a provider, over the plain call",
            statistics.median(small[name]) - plain,
            0.5,
            " us",
        )
    bar(
        "import over that of structlog, prometheus-client and OpenTelemetry's API",
        import_share,
        0.35,
    )
    bar(
        "caller's p99 with a queue before a stalled pipe",
        stalled_p99(5_000 if quick else 30_000),
        1.0,
        " ms",
    )

    fixed = logging_candidates()[ours]
    redaction = {"fixed texts": fixed, "unique texts": unique_texts()}
    on = rounds(redaction, count, calls)
    obs.configure_logging("INFO", output="/dev/null", redact=False)
    off = rounds(redaction, count, calls)

    machine = (
        f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    )
    peers = [
        "structlog",
        "orjson",
        "loguru",
        "python-json-logger",
        "prometheus-client",
        "opentelemetry-api",
    ]
    text = [
        "# Results",
        "",
        "Written by `benchmarks/run.py`: the median of interleaved rounds in CPU time;",
        "everything writes to /dev/null.",
        "",
        f"- Machine: {machine}",
        f"- Python {platform.python_version()}; "
        + ", ".join(f"{name} {version(name)}" for name in peers),
        f"- {count} rounds of {calls} calls{' (quick)' if quick else ''}",
        "",
        "## Bars",
        "",
        "| What | Measured | Bar | |",
        "|---|---:|---:|---|",
        *(f"| {' | '.join(row)} |" for row in bars),
        "",
        "## One record of JSON with 5 fields and 3 bound ones",
        "",
        "| | us | over the floor |",
        "|---|---:|---:|",
        *(
            f"| {n} | {statistics.median(t):.2f} | {ratio(logs, n, floor):.2f} |"
            for n, t in logs.items()
        ),
        "",
        "## What redaction costs",
        "",
        "| | us with | us without |",
        "|---|---:|---:|",
        *(
            f"| {n} | {statistics.median(on[n]):.2f} | {statistics.median(off[n]):.2f} |"
            for n in redaction
        ),
        "",
        "## Small things",
        "",
        "| | us |",
        "|---|---:|",
        *(f"| {n} | {statistics.median(t):.3f} |" for n, t in small.items()),
        f"| import shared.observability | {import_ms * 1000:.0f} |",
        "",
        NOTES,
    ]
    Path(__file__).with_name("RESULTS.md").write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))


NOTES = """## Notes

- "structlog, default" is its default configuration (coloured console text, no call site);
  "tuned" is the fast configuration of its documentation (orjson, bytes); "with call site" adds
  module, function and line, which all our lines have.
- Missed: standard logging with five fields in `extra`. It needs three floors (the row "no handler
  at all") by itself, in `findCaller`, `LogRecord` and the walk over the handlers. The bar leaves two
  floors for the record, its fields, redaction and the write, which need nearly three. With `%`
  arguments, which most libraries use, the bar is met.
- Our cached child is faster than that of prometheus-client, because it counts ones without a lock.
  The difference to `labels()` is the lookup; both are in the table.
- `labels()` uses a cache written in C; by name it has to hash the names, too.
"""


if __name__ == "__main__":
    main()
