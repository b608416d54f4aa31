"""`python -m shared.health probe URL` and `... probe --file PATH`."""

from __future__ import annotations

import argparse
import sys

from ._run.probe import probe_file, probe_url


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86400:
        raise ValueError(text)
    return value


def main(arguments: list[str] | None = None) -> int:
    """Probe once; return 0 if all is well, 1 if not, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m shared.health")
    commands = parser.add_subparsers(dest="command", required=True)
    probe = commands.add_parser("probe", help="for exec probes: exit with 0 or 1")
    target = probe.add_mutually_exclusive_group(required=True)
    target.add_argument("url", nargs="?", metavar="URL", help="http://127.0.0.1:8080/health/live")
    target.add_argument("--file", metavar="PATH", help="the file of a Heartbeat")
    probe.add_argument("--timeout", type=_seconds, default=1.0, help="seconds (default: 1)")
    probe.add_argument("--max-age", type=_seconds, help="seconds, instead of the heartbeat's own")
    given = parser.parse_args(arguments)
    if given.file is not None:
        good, message = probe_file(given.file, given.max_age)
    else:
        good, message = probe_url(given.url, given.timeout)
    print(message, file=sys.stdout if good else sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
