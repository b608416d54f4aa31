"""How fast ids are made, and how cheap the import is.

python packages/shared-ids/benchmarks/run.py [--quick]

Ours and the peers alternate in one run; ratios are medians over the rounds. `many.py` next to it makes
the 1e7 ids of eight forked processes.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import many
import nanoid
import shortuuid
import slugify as python_slugify
import ulid
import uuid_utils

from shared.ids import (
    generate_id,
    generate_short_id,
    generate_ulid,
    generate_uuid7,
    hash_string,
    slugify,
)

if TYPE_CHECKING:
    from collections.abc import Callable

TITLE = "Ein Bericht über die Straße nach Osten — 東京 und zurück, Teil 2"


def per_call(fn: Callable[[], object], count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        fn()
    return (time.perf_counter() - begin) / count


def compare(
    ours: Callable[[], object], peer: Callable[[], object], *, quick: bool
) -> tuple[float, float, float]:
    """Return seconds of ours and the peer's, and how many times faster ours is."""
    rounds, count = (7, 5_000) if quick else (31, 20_000)
    ours(), peer()
    pairs = [(per_call(ours, count), per_call(peer, count)) for _ in range(rounds)]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return mine, theirs, statistics.median(b / a for a, b in pairs)


def importing(statement: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - begin


def import_ratio(*, quick: bool) -> tuple[float, float, float]:
    """Return seconds of whole interpreters, ours and the peer's, and the median ratio."""
    pairs = [
        (importing("import shared.ids"), importing("import uuid"))
        for _ in range(7 if quick else 31)
    ]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return mine, theirs, statistics.median(a / b for a, b in pairs)


def rare() -> str:
    """Make an id in a millisecond of its own, as a service with little to do makes them."""
    ids_clock[0] += 1_000_000
    return generate_id("user")


ids_clock = [time.time_ns() + 10**12]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rows = []

    def row(
        what: str, ours: Callable[[], object], peer: Callable[[], object], name: str, bar: float = 0
    ) -> None:
        mine, theirs, ratio = compare(ours, peer, quick=quick)
        verdict = "" if not bar else f">= {bar:g}x: {'met' if ratio >= bar else 'MISSED'}"
        rows.append(
            f"| {what} | {mine * 1e6:.2f} us, {name} {theirs * 1e6:.2f} us: {ratio:.2f}x | {verdict} |"
        )

    user = "user"
    row(
        "`generate_id(prefix)`",
        lambda: generate_id(user),
        lambda: f"{user}_{uuid.uuid4()}",
        "`uuid.uuid4()` and format",
        3,
    )
    row(
        "the same",
        lambda: generate_id(user),
        lambda: f"{user}_{uuid_utils.uuid7()}",
        "`uuid_utils.uuid7()` and format",
    )
    row("`generate_uuid7()`", generate_uuid7, uuid.uuid4, "`uuid.uuid4()`")
    row("`generate_ulid()`", generate_ulid, lambda: str(ulid.ULID()), "python-ulid")
    row(
        "`generate_short_id(21)`",
        lambda: generate_short_id(21),
        lambda: nanoid.generate(size=21),
        "nanoid",
    )
    row("`generate_short_id(22)`", lambda: generate_short_id(22), shortuuid.uuid, "shortuuid")
    row(
        "`slugify(title)`",
        lambda: slugify(TITLE),
        lambda: python_slugify.slugify(TITLE),
        "python-slugify alone",
    )
    row(
        "`hash_string(title)`",
        lambda: hash_string(TITLE),
        lambda: uuid.uuid5(uuid.NAMESPACE_URL, TITLE),
        "`uuid.uuid5`",
    )
    from shared.ids._unique.uuid7 import TICKS

    TICKS._clock = lambda: ids_clock[0]
    row(
        "`generate_id(prefix)`, each in its own millisecond",
        rare,
        lambda: f"{user}_{uuid.uuid4()}",
        "`uuid.uuid4()` and format",
    )
    TICKS._clock = time.time_ns
    mine, theirs, ratio = import_ratio(quick=quick)
    met = "met" if ratio <= 1.2 else "MISSED"
    rows.append(
        f"| `import shared.ids`, whole interpreter | {mine * 1e3:.1f} ms, `import uuid` {theirs * 1e3:.1f} ms: {ratio:.2f}x | <= 1.2x: {met} |"
    )
    total, double, falling = many.count(200_000 if quick else 10_000_000)
    rows.append(
        f"| {total:.0e} ids from 8 forked processes | {double} double, {falling} processes out of order | 0: {'met' if not double + falling else 'MISSED'} |"
    )
    peers = ", ".join(
        f"{name} {version(name)}"
        for name in ("uuid_utils", "python-ulid", "nanoid", "shortuuid", "python-slugify", "regex")
    )
    text = (
        "# Benchmark of shared-ids\n\n"
        f"Written by `benchmarks/run.py`. {platform.machine()}, {platform.platform(terse=True)}, Python {platform.python_version()}, {peers}.\n"
        "A ratio says how many times faster ours is, but for the import.\n\n"
        "| What | Measured | Bar |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"
    )
    print(text)
    if not quick:
        Path(__file__).with_name("RESULTS.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
