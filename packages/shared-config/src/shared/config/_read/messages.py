"""pydantic's validation errors in our words: variable, value unless secret, what is allowed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt

from shared.core.checks import shown
from shared.core.redaction import hide

from .._base.errors import ConfigurationError, Problem
from .._secret.secrets import safe
from .variables import Variable, members, variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from .._secret.secrets import Secret

__all__ = ["allowed", "clean", "problems_of"]

_NUMBER = re.compile(r"\s*[+-]?[0-9._eE+-]+\s*")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false (also 1/0, yes/no, on/off)",
    "str": "text",
}


def problems_of(
    error: ValidationError,
    cls: type[BaseModel],
    sources: Mapping[str, str],
    secrets: Iterable[Secret],
    prefix: str | None = None,
) -> list[Problem]:
    """Translate every error of a `ValidationError`.

    Args:
        error: pydantic's error.
        cls: The class that was validated.
        sources: The source of each variable that was set.
        secrets: Texts that no message may contain.
        prefix: The same as for `variables`.
    """
    known = {variable.path: variable for variable in variables(cls, prefix)}
    # Shorter ones occur in any text.
    hidden = [text for s in secrets if len(text := s.reveal()) >= 4]
    found: dict[tuple[str, str], Problem] = {}
    for detail in error.errors(include_url=False):
        nested = (detail.get("ctx") or {}).get("error")
        if isinstance(nested, ConfigurationError) and nested.problems[0].variable:
            for inner in nested.problems:
                found.setdefault((inner.variable, inner.message), inner)
            continue
        loc = tuple(str(part) for part in detail["loc"])
        variable = next((known[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in known), None)
        name, message = _describe(detail, variable, loc, cls, known.values())
        source = sources.get(name, "")
        found.setdefault((name, message), Problem(name, hide(message, hidden), source))
    return list(found.values())


def _describe(
    detail: ErrorDetails,
    variable: Variable | None,
    loc: tuple[str, ...],
    cls: type[BaseModel],
    known: Iterable[Variable],
) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx") or {}
    if kind == "extra_forbidden":
        from .._base.names import closest

        name = ".".join(loc)
        siblings = [v.path[-1] for v in known if v.path[:-1] == loc[:-1]]
        near = closest(loc[-1], siblings)
        return name, f"is not a known argument{f'; did you mean {near}?' if near else ''}"
    if variable is None:  # a validator of the whole class
        return ".".join(loc) or cls.__name__, _reason(detail)
    name = variable.name
    if kind == "missing":
        what = f" (or {name}_FILE)" if variable.secret else ""
        return name, f"is required and not set{what}"
    value = "the value" if variable.secret else clean(detail["input"])
    if kind == "value_error":
        return name, f"{'' if variable.secret else f'{value} '}{_reason(detail)}"
    limits = allowed(variable) or _limits_of(context)
    if kind in {"literal_error", "enum"}:
        return name, f"{value} is not one of {limits or context.get('expected', '')}"
    if kind == "int_parsing_size":  # more digits than are worth parsing
        return name, f"{value} is not{_within(limits)}"
    if kind.startswith(("int_", "float_", "bool_")):
        wanted = _KINDS[kind.partition("_")[0]]
        return name, f"{value} is not {wanted}{_within(limits)}{_hint(name, detail['input'])}"
    if kind.startswith("time_delta"):
        return name, f"{value} is not a time such as 30, 5m, 1h30m or PT5M"
    if kind in {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}:
        return name, f"{value} is not{_within(limits)}"
    if kind == "finite_number":
        return name, f"{value} is not a finite number"
    message = detail["msg"]
    return name, f"{value} is refused: {message[:1].lower()}{message[1:]}"


def _within(limits: str) -> str:
    return f" in {limits}" if ".." in limits else f" {limits}" if limits else ""


def _reason(detail: ErrorDetails) -> str:
    return str((detail.get("ctx") or {}).get("error", detail["msg"])) or "is not valid"


def _hint(name: str, value: object) -> str:
    if name.endswith("_PORT") and isinstance(value, str) and value.startswith("tcp://"):
        return "; Kubernetes sets it for a service of that name: use enableServiceLinks: false"
    return ""


def allowed(variable: Variable) -> str:
    """Return in a few words what a variable accepts: `1..65535`, `a, b, c`, `> 0`, or nothing."""
    annotation = variable.field.annotation
    for member in members(annotation):
        if get_origin(member) is Literal:
            return ", ".join(str(arg) for arg in get_args(member))
        choices = getattr(member, "__members__", None)
        if choices:
            return ", ".join(str(choice.value) for choice in choices.values())
    low, high = "", ""
    for mark in variable.field.metadata:
        if isinstance(mark, Ge):
            low = str(mark.ge)
        elif isinstance(mark, Gt):
            low = f"> {mark.gt}"
        elif isinstance(mark, Le):
            high = str(mark.le)
        elif isinstance(mark, Lt):
            high = f"< {mark.lt}"
    return _interval(low, high)


def _limits_of(context: Mapping[str, Any]) -> str:
    low = f"> {context['gt']}" if "gt" in context else str(context.get("ge", ""))
    high = f"< {context['lt']}" if "lt" in context else str(context.get("le", ""))
    return _interval(low, high)


def _interval(low: str, high: str) -> str:
    if low and high and not low.startswith(">") and not high.startswith("<"):
        return f"{low}..{high}"
    low = low if not low or low.startswith(">") else f">= {low}"
    high = high if not high or high.startswith("<") else f"<= {high}"
    return " and ".join(part for part in (low, high) if part)


def clean(value: object) -> str:
    """Return a value on one short line without its secrets."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        number = value.strip()
        return number if len(number) <= 80 else f"{number[:77]}..."
    return safe(shown(value))
