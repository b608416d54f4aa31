"""Measure import, first read, read and flag evaluation against their bars.

python benchmarks/run.py [--quick]: prints a table and rewrites RESULTS.md beside it.

The two imports take turns in fresh processes, so that a busy machine slows both; a ratio is the
median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import timeit
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

IMPORT = """
import time
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""

FIRST_READ = """
import time
from shared.config import settings
start = time.perf_counter()
settings.database
print(time.perf_counter() - start)
"""


class Row(NamedTuple):
    """One line of the results."""

    what: str
    ours: str
    against: str
    measured: float
    bar: float
    unit: str

    @property
    def verdict(self) -> str:
        return "met" if self.measured <= self.bar else "MISSED"


def seconds(script: str, env: dict[str, str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def best(statement: str, names: dict[str, object], number: int, rounds: int) -> float:
    return min(timeit.repeat(statement, globals=names, number=number, repeat=rounds)) / number


def measure(rounds: int) -> list[Row]:
    from openfeature.evaluation_context import EvaluationContext
    from pydantic_settings import BaseSettings

    from shared.config import FeatureFlags, settings

    rows = []
    # An installed package has its bytecode; a checkout gets it here, whatever the environment says.
    with tempfile.TemporaryDirectory() as cache:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPYCACHEPREFIX"] = cache
        # The package alone loads nothing: what a service imports is measured.
        order = ("import pydantic_settings", "from shared.config import settings")
        for statement in order:
            seconds(IMPORT.format(statement=statement), env)
        pairs = []
        for number in range(rounds):
            took = {
                statement: seconds(IMPORT.format(statement=statement), env)
                for statement in (order if number % 2 else reversed(order))
            }
            pairs.append((took[order[1]], took[order[0]]))
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        ours, theirs = (statistics.median(column) * 1e3 for column in zip(*pairs, strict=True))
        rows.append(
            Row("from shared.config import settings", f"{ours:.1f} ms", f"import pydantic_settings {theirs:.1f} ms",
                ratio, 1.15, "x")
        )  # fmt: skip
        first = min(seconds(FIRST_READ, env) for _ in range(rounds)) * 1e3
        rows.append(Row("first settings.x", f"{first:.2f} ms", "", first, 5.0, "ms"))

    class Plain(BaseSettings):
        database: int = 1

    settings.debug  # noqa: B018 - loads them
    names: dict[str, object] = {"settings": settings, "plain": Plain()}
    reads = []
    for _ in range(rounds):
        ours = best("settings.database", names, 200_000, 3)
        theirs = best("plain.database", names, 200_000, 3)
        reads.append((ours, theirs))
    ratio = statistics.median(ours / theirs for ours, theirs in reads)
    ours, theirs = (min(column) * 1e9 for column in zip(*reads, strict=True))
    rows.append(
        Row("a read of a loaded setting", f"{ours:.0f} ns", f"of a plain BaseSettings {theirs:.0f} ns",
            ratio, 1.1, "x")
    )  # fmt: skip

    flags = FeatureFlags(
        {"ramp": {"ramp": 50}, "constant": True, "named": {"targets": ["x"], "ramp": 5}}
    )
    names = {"flags": flags, "context": EvaluationContext("user-4711", {"plan": "pro"})}
    for flag in ("constant", "ramp", "named"):
        statement = f'flags.resolve_boolean_details("{flag}", False, context)'
        took = best(statement, names, 20_000, rounds) * 1e6
        rows.append(Row(f"flag evaluation: {flag}", f"{took:.2f} us", "", took, 5.0, "us"))
    return rows


def table(rows: list[Row]) -> str:
    lines = [
        "| What | Ours | Against | Measured | Bar | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        lines.append(
            f"| {row.what} | {row.ours} | {row.against} | {row.measured:.2f} {row.unit} "
            f"| <= {row.bar:g} {row.unit} | {row.verdict} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rows = measure(5 if parser.parse_args().quick else 21)
    packages = ("pydantic-settings", "pydantic", "openfeature-sdk")
    text = f"""# Speed of shared-config

Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores;
{", ".join(f"{name} {version(name)}" for name in packages)}.
Written by `benchmarks/run.py`. Imports alternate in fresh processes with bytecode in place; a ratio is
the median of the rounds' ratios, a time the best of the rounds. A flag evaluation is one call of the provider, as OpenFeature's client
makes it; the client's own work is not counted.

{table(rows)}

A read of a loaded setting is an attribute read: the loaded `settings` is a plain `Settings` with its
values in `__dict__`. The peer is the same read on a `BaseSettings` of pydantic-settings; the bar of
1.1 is the noise of tens of nanoseconds.
"""
    Path(__file__).with_name("RESULTS.md").write_text(text, encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
