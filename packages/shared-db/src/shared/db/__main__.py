"""`python -m shared.db ping` and `python -m shared.db up`."""

from __future__ import annotations

import argparse
import contextlib
import logging
import shlex
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ._base.errors import DatabaseError
from ._base.settings import STORES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .embedded import Store


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m shared.db", description="The stores of a service."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    ping = commands.add_parser(
        "ping", help="query every store of the settings; exit 1 if one is silent"
    )
    ping.add_argument("--timeout", type=float, default=5.0, help="seconds for each answer (5)")
    ping.add_argument(
        "stores", nargs="*", metavar="STORE", help=f"of {', '.join(STORES)}; all by default"
    )
    up = commands.add_parser(
        "up", help="start embedded stores for development, print their variables"
    )
    up.add_argument("--data-dir", type=Path, help="keep the data here; by default it is temporary")
    up.add_argument("--env-file", type=Path, help="also write the variables to this file")
    up.add_argument(
        "stores", nargs="*", metavar="STORE", help=f"of {', '.join(STORES)}; all by default"
    )
    return parser


def _ping(timeout: float, wanted: Sequence[str]) -> int:
    from ._sync.connections import DatabaseConnections

    # What it logs about a server that is away is in the answer.
    logging.getLogger("clickhouse_connect").setLevel(logging.ERROR)
    with DatabaseConnections.from_env() as db:
        answers = db.ping(timeout)
        chosen = {name: answer for name, answer in answers.items() if not wanted or name in wanted}
        for name, answer in chosen.items():
            text = f"{1000 * (answer.latency or 0):.1f} ms" if answer.ok else answer.error
            sys.stdout.write(f"{name:<11} {'ok    ' if answer.ok else 'silent'} {text}\n")
    return 0 if all(answer.ok for answer in chosen.values()) else 1


def _up(data_dir: Path | None, env_file: Path | None, wanted: Sequence[str]) -> int:
    from . import embedded

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with contextlib.ExitStack() as stack:

        def start(kind: str) -> Store:
            store: Store = getattr(embedded, kind)(data_dir)
            stack.callback(store.stop)
            sys.stderr.write(f"# {kind:<10} {store.host}:{store.port}\n")
            return store

        with ThreadPoolExecutor(len(STORES)) as pool:
            stores = list(pool.map(start, wanted or STORES))
        variables = {name: value for store in stores for name, value in store.env.items()}
        lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
        sys.stdout.write("".join(f"export {line}" for line in lines.splitlines(keepends=True)))
        sys.stdout.flush()
        if env_file is not None:
            env_file.touch(mode=0o600)
            env_file.write_text(lines, "utf-8")
        sys.stderr.write("# running; Ctrl-C stops them\n")
        sys.stderr.flush()
        stopped.wait()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0, or 1 if a store is silent or did not start.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if unknown := [store for store in options.stores if store not in STORES]:
        parser.error(f"{', '.join(unknown)}: allowed are {', '.join(STORES)}")
    try:
        if options.command == "ping":
            return _ping(options.timeout, options.stores)
        return _up(options.data_dir, options.env_file, options.stores)
    except (DatabaseError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
