"""Which kernels calculate: numba's if it is installed, numpy's otherwise."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from shared.core.checks import choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    Engine = Literal["auto", "numba", "numpy"]

_chosen: ContextVar[str] = ContextVar("shared.indicators.engine", default="auto")


def kernels() -> Any:
    """Return the module with the kernels of this context; numba is imported when first needed."""
    return _module(_chosen.get())


@lru_cache(maxsize=3)
def _module(name: str) -> Any:
    installed = find_spec("numba") is not None
    if name == "numpy" or (name == "auto" and not installed):
        from . import on_numpy

        return on_numpy
    if not installed:
        raise ImportError("engine 'numba' needs numba: pip install 'shared-indicators[fast]'")
    from . import on_numba

    return on_numba


@contextmanager
def engine(name: Engine) -> Iterator[None]:
    """Choose the kernels of `calculate` in this context (thread, task).

    Args:
        name: `"numpy"`, `"numba"` (extra `[fast]`) or `"auto"`: numba if it is installed.

    Raises:
        ValueError: Another name.

    Example:
        >>> from shared.indicators import SMA, engine
        >>> with engine("numpy"):
        ...     SMA(2).calculate([1.0, 2.0, 4.0])
        array([nan, 1.5, 3. ])
    """
    token = _chosen.set(choice("name", name, ("auto", "numba", "numpy")))
    try:
        yield
    finally:
        _chosen.reset(token)
