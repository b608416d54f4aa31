"""One flag: its definition checked once, its evaluation a few comparisons and at most one hash."""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from .._base.errors import ConfigurationError, Problem
from .._base.names import closest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Flag", "Reply", "bucket", "copied", "parse_flags"]

_KEYS = ("enabled", "value", "default", "ramp", "targets")
_BUCKETS = 1 << 64


class Reply(NamedTuple):
    """The outcome of an evaluation."""

    value: Any
    reason: str = ""
    variant: str | None = None
    error: str = ""


def bucket(flag_key: str, targeting_key: str) -> int:
    """Return a number in 0..2**64-1 that depends on nothing but the two keys.

    The lengths keep `("a", "bc")` and `("ab", "c")` apart.

    Example:
        >>> bucket("new-ui", "ada") == bucket("new-ui", "ada")
        True
    """
    text = f"{len(flag_key)}:{flag_key}{targeting_key}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


class Flag:
    """A flag with a checked definition."""

    __slots__ = (
        "_fixed", "_key", "_limit", "_named", "_off", "_on", "_rules", "_split_off", "definition"
    )  # fmt: skip

    def __init__(self, key: str, definition: Any) -> None:
        self.definition = definition
        self._key = key
        self._named: frozenset[str] = frozenset()
        self._rules: tuple[Mapping[str, Any], ...] = ()
        self._limit: int | None = None  # buckets below it are on
        if not isinstance(definition, dict):
            self._fixed: Reply | None = Reply(definition, "STATIC")
            return
        default = definition.get("default", False)
        on = Reply(definition.get("value", True), "STATIC", "on")
        self._off = Reply(default, "DEFAULT", "off")
        self._on = Reply(on.value, "TARGETING_MATCH", "on")
        self._split_off = Reply(default, "SPLIT", "off")
        targets = definition.get("targets") or ()
        ramp = definition.get("ramp")
        self._fixed = None
        if not definition.get("enabled", True):
            self._fixed = Reply(default, "DISABLED", "off")
        elif not targets and (ramp is None or ramp >= 100):
            self._fixed = on
        else:
            self._named = frozenset(t for t in targets if isinstance(t, str))
            self._rules = tuple(t for t in targets if not isinstance(t, str))
            self._limit = int(float(ramp or 0) / 100 * _BUCKETS)

    def evaluate(self, targeting_key: str | None, attributes: Mapping[str, Any]) -> Reply:
        """Evaluate for one targeting key and its attributes."""
        if self._fixed is not None:
            return self._fixed
        if targeting_key in self._named:
            return self._on
        for rule in self._rules:
            if _matches(rule, targeting_key, attributes):
                return self._on
        if not self._limit:
            return self._off
        if self._limit >= _BUCKETS:
            return Reply(self._on.value, "SPLIT", "on")
        if not targeting_key:
            return Reply(None, error=f"the ramp of {self._key!r} needs a targeting key")
        if bucket(self._key, targeting_key) < self._limit:
            return Reply(self._on.value, "SPLIT", "on")
        return self._split_off


def _matches(rule: Mapping[str, Any], key: str | None, attributes: Mapping[str, Any]) -> bool:
    for name, wanted in rule.items():
        actual = key if name == "targeting_key" else attributes.get(name)
        if actual is None or not (
            actual in wanted if isinstance(wanted, list) else actual == wanted
        ):
            return False
    return True


def parse_flags(source: Any, where: str) -> dict[str, Flag]:
    """Check every definition.

    Returns:
        The flags by key.

    Raises:
        ConfigurationError: With everything that is wrong.
    """
    if not hasattr(source, "items"):
        raise ConfigurationError(Problem(where, f"is {_kind(source)}, not a mapping of flags"))
    problems: list[Problem] = []
    flags = {}
    for key, definition in source.items():
        place = f"{where}: flag {key!r}"
        if not isinstance(key, str) or not key:
            problems.append(Problem(place, "the key is not text"))
            continue
        definition = copied(definition)
        found = _check(definition) if isinstance(definition, dict) else []
        if definition is None:
            found = ["is null; a value or a definition is allowed"]
        problems += [Problem(place, message) for message in found]
        if not found:
            flags[key] = Flag(key, definition)
    if problems:
        raise ConfigurationError(problems)
    return flags


def _check(definition: dict[Any, Any]) -> list[str]:
    found = []
    for name in definition:
        if name not in _KEYS:
            near = closest(str(name), _KEYS)
            hint = f"; did you mean {near}?" if near else f"; known are {', '.join(_KEYS)}"
            found.append(f"{name!r} is not known{hint}")
    if not isinstance(definition.get("enabled", True), bool):
        found.append(f"enabled: {definition['enabled']!r} is not true or false")
    ramp = definition.get("ramp")
    if ramp is not None and not _percent(ramp):
        found.append(f"ramp: {ramp!r} is not a percentage in 0..100")
    targets = definition.get("targets")
    if targets is not None and not (
        isinstance(targets, list) and all(isinstance(t, (str, dict)) and t for t in targets)
    ):
        found.append("targets: is not a list of targeting keys and attribute mappings")
    default, value = definition.get("default", False), definition.get("value", True)
    if "value" not in definition and not isinstance(default, bool):
        found.append(f"value: is required, since default is {_kind(default)}, not true or false")
    elif "default" not in definition and not isinstance(value, bool):
        found.append(f"default: is required, since value is {_kind(value)}, not true or false")
    elif _kind(default) != _kind(value):
        found.append(f"value is {_kind(value)} and default {_kind(default)}; one type is allowed")
    return found


def _percent(ramp: object) -> bool:
    number = isinstance(ramp, (int, float)) and not isinstance(ramp, bool)
    return number and math.isfinite(ramp) and 0 <= ramp <= 100  # type: ignore[arg-type, operator]


def _kind(value: object) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list"}
    return kinds.get(
        type(value),
        "a mapping"
        if isinstance(value, dict)
        else "null"
        if value is None
        else type(value).__name__,
    )


def copied(value: Any) -> Any:
    """Return a deep copy of what JSON can express."""
    if hasattr(value, "items"):
        return {k: copied(v) for k, v in value.items()}
    return [copied(v) for v in value] if isinstance(value, (list, tuple)) else value
