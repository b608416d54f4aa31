"""Variables as text: the Markdown table, the commented `.env` and the current values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shared.core.redaction import MARKER

from .._read.messages import allowed
from .._read.variables import Variable, members, variables
from .._secret.secrets import Secret, safe

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .._settings.settings import Settings

__all__ = ["env_example", "markdown_table", "shown_values"]

_WORDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}


def leaves(cls: type[BaseModel]) -> list[Variable]:
    """Return the variables that are not groups."""
    return [variable for variable in variables(cls) if variable.group is None]


def markdown_table(cls: type[BaseModel]) -> str:
    """Return a Markdown table of every variable of a class, without anything of the environment.

    Example:
        >>> from shared.config import Settings
        >>> print(markdown_table(Settings).splitlines()[3])
        | `DEBUG` | true or false | `false` | Debugging aids; never in production |
    """
    lines = ["| Variable | Allowed | Default | Meaning |", "| --- | --- | --- | --- |"]
    for variable in leaves(cls):
        names = " or ".join(f"`{name}`" for name in _names(variable))
        shown = _default(variable)
        cells = [
            names,
            _allowed(variable),
            f"`{shown}`" if shown else _no_default(variable),
            _meaning(variable),
        ]
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def env_example(cls: type[BaseModel]) -> str:
    """Return a `.env` with every variable: required ones as lines, the rest commented out.

    Example:
        >>> from shared.config import Settings
        >>> "# POSTGRES_HOST=localhost" in env_example(Settings).splitlines()
        True
    """
    blocks = []
    for variable in leaves(cls):
        meaning = _meaning(variable)
        comment = f"# {meaning} ({_allowed(variable)})" if meaning else f"# {_allowed(variable)}"
        mark = "" if variable.field.is_required() else "# "
        lines = [comment, f"{mark}{variable.name}={_quoted(_default(variable))}"]
        if variable.secret:
            lines.append(f"# {variable.name}_FILE=/run/secrets/{variable.name}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def shown_values(settings: Settings) -> str:
    """Return every variable with its value and its source; secrets are hidden."""
    sources = settings._origin.sources  # noqa: SLF001 - our own
    rows = []
    for variable in leaves(type(settings)):
        text = _value(variable, variable.value_in(settings))
        rows.append((variable.name, text, sources.get(variable.name, "default")))
    wide = [max(len(row[n]) for row in rows) for n in (0, 1)]
    return (
        "\n".join(f"{name:<{wide[0]}}  {text:<{wide[1]}}  {source}" for name, text, source in rows)
        + "\n"
    )


def _names(variable: Variable) -> list[str]:
    return [*variable.names, f"{variable.name}_FILE"] if variable.secret else list(variable.names)


def _meaning(variable: Variable) -> str:
    return " ".join((variable.field.description or "").split())


def _allowed(variable: Variable) -> str:
    kinds = [member for member in members(variable.field.annotation) if isinstance(member, type)]
    if variable.secret:
        return "URL, secret" if any(hasattr(kind, "schemes") for kind in kinds) else "secret"
    limits = allowed(variable)
    word = _WORDS.get(kinds[0], kinds[0].__name__) if kinds else "text"
    if variable.shape != "text":
        word = "list with commas, or JSON" if variable.shape == "list" else "JSON"
    elif limits and any(kind in {int, float} for kind in kinds):
        return f"{word} {'in ' if '..' in limits else ''}{limits}"
    return limits or word


def _default(variable: Variable) -> str:
    field = variable.field
    if field.is_required():
        return ""
    factory: Any = field.default_factory
    if factory is not None and not field.default_factory_takes_validated_data:
        value = factory()
    else:
        value = None if factory is not None else field.default
    if value is None or (variable.secret and not value):
        return ""
    return MARKER if variable.secret else _plain(value)


def _no_default(variable: Variable) -> str:
    if variable.field.is_required():
        return "required"
    kinds = members(variable.field.annotation)
    return "from the parts" if any(hasattr(kind, "schemes") for kind in kinds) else ""


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int)):
        return getattr(value, "value", None) or str(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        return json.dumps(value if isinstance(value, dict) else list(value), default=str)
    return str(getattr(value, "value", value))


def _value(variable: Variable, value: Any) -> str:
    if value is None:
        return ""
    if variable.secret:
        return str(value) if isinstance(value, Secret) else MARKER
    return safe(_plain(value))


def _quoted(text: str) -> str:
    """Quote what a `.env` file would not return unchanged."""
    if text and (text != text.strip() or any(c in text for c in "#'\"\\\n\r\t ")):
        escaped = text.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return text
