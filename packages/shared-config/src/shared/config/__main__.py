"""Check, show and document settings from the command line: `python -m shared.config --help`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING

from ._base.errors import ConfigurationError
from ._settings.settings import DOTENV, SECRETS_DIR, Settings, load_settings
from ._use.docs import env_example, markdown_table, shown_values
from ._use.validator import ConfigValidator

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program; `sys.argv[1:]` if None.

    Returns:
        0 if all is well, 2 if the configuration or the command line is wrong.
    """
    options = _parser().parse_args(arguments)
    try:
        cls = _class(options.target)
        if options.command == "docs":
            sys.stdout.write(markdown_table(cls))
            return 0
        if options.command == "env-example":
            sys.stdout.write(env_example(cls))
            return 0
        settings = load_settings(cls, dotenv=options.env_file, secrets_dir=options.secrets_dir)
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command line
        return 2
    if options.command == "show":
        sys.stdout.write(shown_values(settings))
        return 0
    validator = ConfigValidator(settings)
    result = validator.validate_environment()
    result.merge(validator.validate_performance_settings())
    if options.services:
        result.merge(validator.validate_services(options.timeout))
    print(result)  # noqa: T201 - a command line
    return 0 if result.is_valid else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m shared.config",
        description="Check, show and document settings. Secrets are never shown.",
        epilog="Exit code 0: all is well; 2: the configuration or the command line is wrong.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, text in {
        "check": "load the settings and report every problem",
        "show": "print every variable with its value and its source",
        "docs": "print a Markdown table of every variable",
        "env-example": "print a commented .env file",
    }.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "target", nargs="?", default="shared.config:Settings", metavar="module:Class",
            help="the settings class (default: shared.config:Settings)",
        )  # fmt: skip
        if name in {"check", "show"}:
            command.add_argument("--env-file", default=DOTENV, help="default: .env")
            command.add_argument("--secrets-dir", default=SECRETS_DIR, help="default: /run/secrets")
        if name == "check":
            command.add_argument("--services", action="store_true", help="check the stores, too")
            command.add_argument(
                "--timeout", type=_seconds, default=2.0, help="seconds for all stores; default: 2"
            )
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds > 0")
    return value


def _class(target: str) -> type[Settings]:
    """Import `module:Class`, from the current folder as well."""
    module_name, colon, name = target.partition(":")
    if not colon or not module_name or not name:
        raise ConfigurationError(f"{target!r} is not of the form module:Class")
    folder = os.getcwd()  # noqa: PTH109 - the same as `python -m` adds
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: object = importlib.import_module(module_name)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - a user's module may fail in any way
        kind = type(error).__name__
        raise ConfigurationError(f"{module_name} cannot be imported: {kind}: {error}") from None
    for part in name.split("."):
        found = getattr(found, part, None)
    if not (isinstance(found, type) and issubclass(found, Settings)):
        raise ConfigurationError(f"{target} is not a class derived from shared.config.Settings")
    return found


if __name__ == "__main__":
    sys.exit(main())
