"""The one error class: everything that is wrong, at once, without secrets."""

from __future__ import annotations

from typing import Any, NamedTuple

from shared.core.faces import PackageError

__all__ = ["ConfigurationError", "Problem"]


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes:
        variable: The variable, argument or file that is wrong; empty if it concerns the whole.
        message: The refused value and what is allowed. Never contains a secret.
        source: The origin of the value (`environment`, `.env`, ...), empty if it has none.

    Example:
        >>> print(Problem("POSTGRES_PORT", "0 is not in 1..65535", ".env"))
        POSTGRES_PORT: 0 is not in 1..65535 (from .env)
    """

    variable: str
    message: str
    source: str = ""

    def __str__(self) -> str:
        where = f" (from {self.source})" if self.source not in {"", "environment"} else ""
        return f"{self.variable}: {self.message}{where}" if self.variable else self.message


class ConfigurationError(PackageError, ValueError):
    """The configuration is wrong; every problem is listed, and none shows a secret.

    Args:
        problems: One message, or the problems found.

    Attributes:
        problems: A tuple of `Problem`.

    Example:
        >>> from shared.config import Settings, load_settings
        >>> load_settings(Settings, env={"POSTGRES_PORT": "70000", "LOG_LEVEL": "LOUD"})
        Traceback (most recent call last):
        ...
        shared.config.ConfigurationError: 2 problems in the configuration:
          POSTGRES_PORT: 70000 is not in 1..65535
          LOG_LEVEL: 'LOUD' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL
    """

    problems: tuple[Problem, ...]

    def __init__(self, problems: str | Problem | list[Problem] | tuple[Problem, ...]) -> None:
        if isinstance(problems, str):
            problems = Problem("", problems)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        return f"{len(self.problems)} problems in the configuration:{lines}"

    def __repr__(self) -> str:
        return f"ConfigurationError({str(self)!r})"

    def errors(self) -> list[dict[str, Any]]:
        """Return the problems as dictionaries with `variable`, `message` and `source`."""
        return [problem._asdict() for problem in self.problems]

    def json(self, *, indent: int | None = None) -> str:
        """Return `errors` as JSON text."""
        import json

        return json.dumps(self.errors(), indent=indent)
