"""The public face of a package: its names, loaded when first used, and its errors.

A package's `__init__.py` is `__getattr__, __dir__, __all__ = face(__name__)`. Its `__init__.pyi`
is the one table of its public names, as imports that type checkers read.

Where a name stands inside the package shows nowhere: `__module__` is the package, in tracebacks,
in log lines and in pickles, so files may move.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def face(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` for a package with an `__init__.pyi`.

    `__getattr__.homes` is the table: each public name and the module it is in. An ImportError if
    there is no `__init__.pyi`.
    """
    module = sys.modules[package]
    namespace = vars(module)
    homes = _read(module)
    private = dict(homes)  # names that do not bear the package's name yet

    def load(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = import_module(home)
        namespace[name] = value = found if home == f"{package}.{name}" else getattr(found, name)
        for other, place in list(private.items()):
            inner = vars(sys.modules[place]).get(other) if place in sys.modules else None
            if inner is not None:
                private.pop(other, None)
                if isinstance(inner, (type, FunctionType)) and inner.__module__ == place:
                    inner.__module__ = package
        return value

    load.homes = homes  # type: ignore[attr-defined]
    return load, lambda: sorted({*namespace, *homes}), sorted(homes)


def _read(package: Any) -> dict[str, str]:
    """Read the imports of a stub: `from ._room.file import Name, Other as Other`."""
    path = f"{package.__spec__.origin.removesuffix('.py')}.pyi"
    try:
        text = package.__spec__.loader.get_data(path).decode()
    except (AttributeError, OSError) as error:
        raise ImportError(f"{package.__name__} has no table of names: {error}") from error
    homes = {}
    lines = (line.partition("#")[0] for line in text.partition("__all__")[0].splitlines())
    for statement in " ".join(lines).translate({40: " ", 41: " "}).split("from .")[1:]:
        place, _, names = statement.partition(" import ")
        for words in map(str.split, names.split(",")):
            if words:
                home = place.strip() or words[0]  # `from . import module as module`
                homes[words[-1]] = f"{package.__name__}.{home}"
    return homes


class PackageError(Exception):
    """The base of the errors of a package: shown as the package's, and whole after a pickle.

    The direct subclass is the package's base error. Errors without a leading underscore must be
    public names of the package: a pickle looks for them there.

    Example:
        >>> import pickle
        >>> error = PackageError("full")
        >>> error.waited = 2.5
        >>> pickle.loads(pickle.dumps(error)).waited
        2.5
    """

    _package: str

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if PackageError in cls.__bases__:
            cls._package = cls.__module__.partition("._")[0]
        if not cls.__name__.startswith("_") and cls.__module__.startswith(f"{cls._package}."):
            cls.__module__ = cls._package

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state: an exception with keyword arguments does not come back otherwise."""
        state = {name: _portable(value) for name, value in self.__dict__.items()}
        return _rebuild, (type(self), tuple(map(_portable, self.args)), state)


def _rebuild(kind: type[Exception], args: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def _portable(value: Any) -> Any:
    """Return the value, or its description where it cannot be pickled."""
    if value is None or isinstance(value, (str, int, float, bytes)):
        return value
    import pickle

    try:
        pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - whatever it is, the error itself must travel
        text = f"{type(value).__name__}: {value}"
        return RuntimeError(text) if isinstance(value, BaseException) else text
    return value
