"""The list of what there is, readable by machines."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

from ._indicator import Indicator
from ._patterns.pattern import Pattern

T = TypeVar("T")

_PACKAGE = __name__.rpartition(".")[0]
GROUPS = ("overlap", "momentum", "volatility", "volume", "trend")


class Parameter(NamedTuple):
    """A parameter of an indicator; `kind` is "int", "float" or "str"."""

    name: str
    kind: str
    default: Any
    description: str


class Specification(NamedTuple):
    """An indicator's name, parameters, inputs and outputs as plain values, ready for JSON."""

    name: str
    group: str
    title: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    lookback: int

    @property
    def indicator(self) -> type[Any]:
        """The class of the indicator."""
        found: type[Any] = getattr(import_module(_PACKAGE), self.name)
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return the same by name.

        Returns:
            A dict that `json.dumps` accepts, with the parameters as dicts, too.

        Example:
            >>> from shared.indicators import available
            >>> available()["SMA"].as_dict()["parameters"]
            [{'name': 'period', 'kind': 'int', 'default': 30, 'description': 'Bars of the window.'}]
        """
        return {**self._asdict(), "parameters": [p._asdict() for p in self.parameters]}


def available() -> dict[str, Specification]:
    """List the indicators.

    Returns:
        Their specifications by name, in groups: overlap, momentum, volatility, volume, trend. The
        lookback is that of the default parameters; `specification.indicator(**parameters)` makes one.

    Example:
        >>> from shared.indicators import available
        >>> spec = available()["RSI"]
        >>> spec.group, spec.inputs, spec.outputs, spec.lookback
        ('momentum', ('close',), ('rsi',), 14)
        >>> spec.parameters[0][:3]
        ('period', 'int', 14)
    """
    found = [_specify(indicator) for indicator in _classes("_library", Indicator)]
    found.sort(key=lambda spec: (GROUPS.index(spec.group), spec.name.lower()))
    return {spec.name: spec for spec in found}


def available_patterns() -> dict[str, type[Pattern]]:
    """List the chart patterns.

    Returns:
        Their classes by name.

    Example:
        >>> from shared.indicators import available_patterns
        >>> "DoubleTop" in available_patterns()
        True
    """
    return {pattern.__name__: pattern for pattern in _classes("_patterns", Pattern)}


def _classes(room: str, base: type[T]) -> list[type[T]]:
    """Return the public classes of a room: the package's table of names says what there is."""
    package: Any = import_module(_PACKAGE)
    found = (
        getattr(package, name)
        for name, home in package.__getattr__.homes.items()
        if home.startswith(f"{_PACKAGE}.{room}.")
    )
    return [value for value in found if issubclass(value, base) and value is not base]


def _specify(indicator: type[Indicator[Any, Any, Any]]) -> Specification:
    text = inspect.getdoc(indicator) or ""
    parameters = tuple(
        Parameter(name, type(p.default).__name__, p.default, _described(text, name))
        for name, p in inspect.signature(indicator).parameters.items()
    )
    return Specification(
        indicator.__name__,
        indicator.group,
        text.split("\n", 1)[0],
        parameters,
        indicator.inputs,
        indicator.outputs,
        indicator().lookback,
    )


def _described(text: str, name: str) -> str:
    """Return the line of a parameter in the section Args."""
    lines = (line.strip() for line in text.partition("Args:")[2].splitlines())
    return next((line.partition(": ")[2] for line in lines if line.startswith(f"{name}: ")), "")
