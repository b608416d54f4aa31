"""The one mutable thing: which pipeline is in force, and the level of every logger name."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._clean import Sanitizer
    from ._pipeline import Pipeline

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_ALIASES: Final = {"warn": "warning", "fatal": "critical"}
LEVEL_NAMES: Final = {number: name for name, number in LEVELS.items()}


class State:
    """What the loggers look at; `pipeline` is made when the first line needs it."""

    __slots__ = ("capture", "configured", "emit", "pipeline", "retired", "sanitizer")

    emit: Callable[..., None]

    def __init__(self) -> None:
        self.sanitizer: Sanitizer | None = None
        self.pipeline: Pipeline | None = None
        self.capture: Pipeline | None = None
        self.configured = False
        self.retired = [0, 0]  # written and dropped by pipelines that are gone
        self.emit = _first_emit

    def use(self) -> None:
        """Direct the loggers to the capture, if there is one, else to the pipeline."""
        active = self.capture or self.pipeline
        self.emit = active.emit if active else _first_emit


def _first_emit(*args: Any) -> None:
    """The first line of a process that never called `configure_logging`."""
    from ._configure import initialize_quietly

    initialize_quietly()
    STATE.emit(*args)


STATE: Final = State()


def get_sanitizer() -> Sanitizer:
    """The sanitizer in force; the default one before any configuration."""
    if STATE.sanitizer is None:
        from ._clean import Sanitizer

        STATE.sanitizer = Sanitizer()
    return STATE.sanitizer


def parse_level(level: object, argument: str = "level") -> int:
    """Turn a level name or number into the number.

    Raises:
        ValueError: The level is unknown; the message lists the valid ones.
    """
    if isinstance(level, str):
        name = level.strip().lower()
        number = LEVELS.get(_ALIASES.get(name, name))
        if number is not None:
            return number
    elif isinstance(level, int) and not isinstance(level, bool) and 0 <= level <= 100:
        return int(level)
    valid = ", ".join(name.upper() for name in LEVELS)
    raise ValueError(
        f"{argument}: {level!r} is no log level; valid are {valid} (any case), or 0-100"
    )


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

    def core(self, name: str) -> Core:
        """The shared part of the loggers of this name."""
        with self._lock:
            core = self._cores.get(name)
            if core is None:
                core = self._cores[name] = Core(name, self.effective(name))
            return core

    def effective(self, name: str) -> int:
        """The level in force for a name."""
        while name:
            if name in self._set:
                return self._set[name]
            name = name.rpartition(".")[0]
        return self._set[""]

    def renew_lock(self) -> None:
        """In a forked child: who held the lock does not exist here."""
        self._lock = threading.RLock()

    def reset(self) -> None:
        """Forget all levels: INFO everywhere."""
        self._set.clear()
        self.set(20)

    def set(self, level: int, name: str = "") -> None:
        """Change a level, also for the loggers already handed out."""
        with self._lock:
            self._set[name] = level
            for core in list(self._cores.values()):
                core.level = self.effective(core.name)


REGISTRY: Final = Levels()


def renew_after_fork(renew: Callable[[], None]) -> Callable[[], None]:
    """Run something in every forked child, where the holders of locks do not exist."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)
    return renew


renew_after_fork(REGISTRY.renew_lock)


class Tracing:
    """The tracer in force; kept here so that looking for it loads nothing."""

    __slots__ = ("switch", "tracer")

    def __init__(self) -> None:
        self.tracer: Any = None
        self.switch: Any = None


TRACING: Final = Tracing()
