"""What begins anew in a forked child: the sockets and the rows there belong to the parent."""

from __future__ import annotations

import os
import weakref
from typing import Any, Protocol


class Forgetful(Protocol):
    """Has something of the parent's to forget."""

    def forget_parent(self) -> list[Any]:
        """Begins anew; returns what must stay as it is: neither used nor closed."""
        ...


_watched: weakref.WeakSet[Forgetful] = weakref.WeakSet()
_of_the_parent: list[Any] = []


def forgets_parent(one: Forgetful) -> None:
    """Has the object begin anew in every child that is forked from here on."""
    _watched.add(one)


def _after_fork() -> None:
    _of_the_parent.extend(one.forget_parent() for one in list(_watched))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
