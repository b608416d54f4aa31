"""Measure imports, puts and gets against plain files and the named peers.

python benchmarks/run.py [--quick]: prints a table and rewrites RESULTS.md beside it.

What is compared takes turns within every round, in one folder of one disk; a ratio is the median
of the rounds' ratios. Objects are 4 KB of JSON, under keys of two folders, as services have them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shelve
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

IMPORT = """
import time
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""
COUNT = 200  # keys


class Row(NamedTuple):
    """One line of the results."""

    what: str
    ours: float
    peer: str
    theirs: float
    ratio: float
    bar: float | None = None

    @property
    def verdict(self) -> str:
        if self.bar is None:
            return ""
        return "met" if self.ratio <= self.bar else "MISSED"


def data() -> list[bytes]:
    """Objects of about 4 KB."""
    line = {"symbol": "BTC-USD", "price": 97123.45, "size": 0.25, "side": "buy"}
    return [
        json.dumps([{**line, "id": f"{n}-{i}"} for i in range(48)]).encode() for n in range(COUNT)
    ]


def seconds(script: str, env: dict[str, str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def imports(rounds: int) -> list[Row]:
    rows = []
    peer = "import pathlib, json"
    with tempfile.TemporaryDirectory() as cache:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPYCACHEPREFIX"] = cache
        for ours in (
            "import shared.storage",
            "from shared.storage import load_json, save_json",
            "from shared.storage import FileStore",
        ):
            for statement in (ours, peer):
                seconds(IMPORT.format(statement=statement), env)
            pairs = [
                (
                    seconds(IMPORT.format(statement=ours), env),
                    seconds(IMPORT.format(statement=peer), env),
                )
                for _ in range(rounds)
            ]
            rows.append(compare(f"`{ours}`", f"`{peer}`", pairs, 1.3))
    return rows


def compare(what: str, peer: str, pairs: list[tuple[float, float]], bar: float | None) -> Row:
    ours, theirs = zip(*pairs, strict=True)
    ratio = statistics.median(one / other for one, other in pairs)
    return Row(what, statistics.median(ours), peer, statistics.median(theirs), ratio, bar)


def took(call: Callable[[int], object], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        for number in range(COUNT):
            call(number)
    return (time.perf_counter() - start) / times / COUNT


def duel(
    what: str,
    ours: Callable[[int], object],
    peers: dict[str, tuple[Callable[[int], object], float | None]],
    rounds: int,
    times: int = 1,
) -> list[Row]:
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
    for turn in range(4 * rounds + 1):  # short turns: whatever disturbs one side meets few of them
        for name, (theirs, _) in peers.items():
            if turn % 2:
                pair = (took(ours, times), took(theirs, times))
            else:
                other = took(theirs, times)
                pair = (took(ours, times), other)
            if turn:  # the first warms up
                pairs[name].append(pair)
    return [compare(what, name, pairs[name], bar) for name, (_, bar) in peers.items()]


def stores(rounds: int, folder: Path) -> list[Row]:
    import diskcache
    import fsspec

    from shared.storage import FileStore, MemoryStore

    objects = data()
    keys = [f"trades/2026-11/{number:05}.json" for number in range(COUNT)]
    one = [f"trades/{number:05}.json" for number in range(COUNT)]
    flat = [f"{number:05}.json" for number in range(COUNT)]
    plain = folder / "plain"
    (plain / "trades/2026-11").mkdir(parents=True)
    paths = [str(plain / key) for key in keys]
    written = str(plain / "written")
    files = FileStore(folder / "files", fsync=False)
    memory = MemoryStore()
    cache = diskcache.Cache(str(folder / "diskcache"))
    local = fsspec.filesystem("file")
    remembered = fsspec.filesystem("memory")
    (folder / "fsspec/trades/2026-11").mkdir(parents=True)
    local_paths = [str(folder / "fsspec" / key) for key in keys]
    memory_paths = [f"/bench/{key}" for key in keys]
    shelf = shelve.open(str(folder / "shelf"))  # noqa: SIM115 - closed below

    def write_and_rename(number: int) -> None:
        with open(written, "wb") as file:
            file.write(objects[number])
        os.replace(written, paths[number])

    def read(number: int) -> bytes:
        with open(paths[number], "rb") as file:
            return file.read()

    for number in range(COUNT):
        write_and_rename(number)
        files.put(keys[number], objects[number])
        files.put(flat[number], objects[number])
        files.put(one[number], objects[number])
        memory.put(keys[number], objects[number])
        cache[keys[number]] = objects[number]
        local.pipe_file(local_paths[number], objects[number])
        remembered.pipe_file(memory_paths[number], objects[number])
        shelf[keys[number]] = objects[number]
    assert files.get(keys[7]) == read(7) == objects[7]

    rows = duel(
        "FileStore(fsync=False).put, 4 KB",
        lambda n: files.put(keys[n], objects[n]),
        {
            "write + rename": (write_and_rename, 2.0),
            "diskcache": (lambda n: cache.set(keys[n], objects[n]), None),
            "fsspec local pipe_file": (lambda n: local.pipe_file(local_paths[n], objects[n]), None),
            "shelve": (lambda n: shelf.__setitem__(keys[n], objects[n]), None),
        },
        rounds,
    )
    rows += duel(
        "FileStore.get, 4 KB, two folders deep",
        lambda n: files.get(keys[n]),
        {
            "open().read()": (read, 1.3),
            "diskcache": (lambda n: cache.get(keys[n]), None),
            "fsspec local cat_file": (lambda n: local.cat_file(local_paths[n]), None),
            "shelve": (lambda n: shelf[keys[n]], None),
        },
        rounds,
    )
    rows += duel(
        "FileStore.get, 4 KB, no folder",
        lambda n: files.get(flat[n]),
        {"open().read()": (read, 1.3)},
        rounds,
    )
    rows += duel(
        "MemoryStore.get",
        lambda n: memory.get(keys[n]),
        {"fsspec memory cat_file": (lambda n: remembered.cat_file(memory_paths[n]), None)},
        rounds,
        50,
    )
    rows += duel(
        "MemoryStore.put, 4 KB",
        lambda n: memory.put(keys[n], objects[n]),
        {
            "fsspec memory pipe_file": (
                lambda n: remembered.pipe_file(memory_paths[n], objects[n]),
                None,
            )
        },
        rounds,
        10,
    )
    rows += duel(
        "FileStore.get, 4 KB, one folder",
        lambda n: files.get(one[n]),
        {"open().read()": (read, 1.3)},
        rounds,
    )
    shelf.close()
    cache.close()
    files.close()
    return rows


def table(rows: list[Row]) -> str:
    lines = [
        "| What | Ours | Against | Theirs | Ratio | Bar | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        bar = "" if row.bar is None else f"<= {row.bar:g}"
        lines.append(
            f"| {row.what} | {shown(row.ours)} | {row.peer} | {shown(row.theirs)} "
            f"| {row.ratio:.2f} | {bar} | {row.verdict} |"
        )
    return "\n".join(lines)


def shown(took: float) -> str:
    return f"{took * 1e3:.1f} ms" if took >= 1e-3 else f"{took * 1e6:.2f} us"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 4 if parser.parse_args().quick else 15
    rows = imports(rounds)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        rows += stores(rounds, Path(folder))
    get = next(row for row in rows if row.what == "MemoryStore.get")
    verdict = "met" if get.ours <= 1e-6 else "MISSED"
    text = f"""# Speed of shared-storage

Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores;
{", ".join(f"{name} {version(name)}" for name in ("diskcache", "fsspec"))}.
Written by `benchmarks/run.py`. What is compared takes turns within every round, on one disk; a ratio
is the median of the rounds' ratios, a time the median of the rounds. Objects are 4 KB of JSON.

{table(rows)}

`MemoryStore.get` has an absolute bar: {shown(get.ours)} <= 1 us: {verdict}.

What the ratios include: `FileStore.put` holds the lock of the key among processes, and writes a
checksum, a version and a length with the content. `FileStore.get` verifies the checksum, and that no
link led out of the folder: with folders in the key, that look at `/proc` is half of an `open().read()`
by itself, which is why the bar is close there. The peers do neither. diskcache keeps small values
in SQLite, shelve in one file of dbm without any protection against a second writer; fsspec's
`pipe_file` writes in place, so a reader may see half a file.

`FileStore` is a class on locks, times and types: `typing`, `datetime`, `threading` and `weakref` are
more than half of its import, and `pathlib` and `json` need none of them. The bar holds for the
package itself; its parts load when they are first used.
"""
    Path(__file__).with_name("RESULTS.md").write_text(text, encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
