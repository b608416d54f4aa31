"""What starts again in a forked child: locks, threads and sockets there belong to the parent."""

from __future__ import annotations

import os
import sys
import weakref
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[[], object]")


class Renewable(Protocol):
    """An object with something that belongs to its process: a lock, a thread, a socket."""

    def renew_after_fork(self) -> object:
        """Start again in a forked child, without touching what is the parent's."""


# In the order in which they were made: what stands on another object comes after it.
_objects: dict[int, weakref.ref[Renewable]] = {}
_functions: list[Callable[[], object]] = []
_kept: list[Any] = []


def renew(one: Renewable) -> None:
    """Call `one.renew_after_fork()` in every child that is forked while the object lives."""
    key = id(one)
    _objects[key] = weakref.ref(one, lambda _gone: _objects.pop(key, None))


def after_fork(fn: F) -> F:
    """Call a function of a module in every forked child; a decorator."""
    _functions.append(fn)
    return fn


def keep(*things: Any) -> None:
    """Keep what is the parent's, in the child, beyond the end of the interpreter.

    Neither used nor finalised: the finaliser of a driver would say goodbye to the server.
    """
    _kept.extend(things)
    try:
        import ctypes

        for thing in things:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    except (ImportError, AttributeError):  # not CPython: the list has to do
        pass


def _in_child() -> None:
    alive = [one for ref in list(_objects.values()) if (one := ref()) is not None]
    for call in [*_functions, *(one.renew_after_fork for one in alive)]:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the others must start again too
            sys.excepthook(type(error), error, error.__traceback__)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
