"""Log levels: their names, and the level of every logger name."""

from __future__ import annotations

import threading
import weakref
from typing import Final

from shared.core import checks, forks

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
LEVEL_NAMES: Final = {number: name for name, number in LEVELS.items()}
_NUMBERS: Final = {**LEVELS, "warn": 30, "fatal": 50}
_ALLOWED: Final = f"one of {', '.join(LEVELS).upper()} in any case, or a number from 0 to 100"


def parse_level(level: object, argument: str = "level") -> int:
    """Return the number of a level that is given by name or number.

    Raises:
        ValueError: The level is unknown.
        TypeError: It is neither a string nor a number.
    """
    if isinstance(level, str):
        number = _NUMBERS.get(level.strip().lower())
        if number is not None:
            return number
    elif isinstance(level, int) and not isinstance(level, bool) and 0 <= level <= 100:
        return int(level)
    known = isinstance(level, (str, int, float)) and not isinstance(level, bool)
    raise checks.refuse(argument, _ALLOWED, level, ValueError if known else TypeError)


def level_name(number: int) -> str:
    """Return the name of a level; a number between two levels counts as the lower one."""
    return LEVEL_NAMES.get(number) or LEVEL_NAMES[max(10, min(50, number // 10 * 10))]


class Core:
    """What all loggers of one name share; `level` changes under them."""

    __slots__ = ("__weakref__", "level", "name")

    def __init__(self, name: str, level: int) -> None:
        self.name: str = name
        self.level: int = level


class Levels:
    """The level of every logger name: its own, else its nearest parent's, else the root's."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._cores: weakref.WeakValueDictionary[str, Core] = weakref.WeakValueDictionary()
        self._set: dict[str, int] = {"": 20}
        forks.renew(self)

    def renew_after_fork(self) -> None:
        """Replace the lock: its holder does not exist in the child."""
        self._lock = threading.RLock()

    def core(self, name: str) -> Core:
        """Return what the loggers of this name share."""
        with self._lock:
            core = self._cores.get(name)
            if core is None:
                core = self._cores[name] = Core(name, self.effective(name))
            return core

    def effective(self, name: str) -> int:
        """Return the level that applies to a name."""
        while name:
            if name in self._set:
                return self._set[name]
            name = name.rpartition(".")[0]
        return self._set[""]

    def set(self, level: int, name: str = "") -> None:
        """Change a level, also for loggers that already exist."""
        with self._lock:
            self._set[name] = level
            for core in list(self._cores.values()):
                core.level = self.effective(core.name)

    def reset(self) -> None:
        """Forget all levels: INFO everywhere."""
        self._set.clear()
        self.set(20)
