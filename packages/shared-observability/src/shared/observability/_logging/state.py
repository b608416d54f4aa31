"""The state of logging: the active pipeline, and the level of every logger name."""

from __future__ import annotations

import os
import threading
import warnings
from typing import TYPE_CHECKING, Any, Final

from shared.core import forks

from .._base.levels import Levels, parse_level
from .._redaction.active import get_sanitizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._output.pipeline import Pipeline


class State:
    """What the loggers look at; the default pipeline is created when the first line needs it.

    Attributes:
        emit: Writes one record; the arguments are those of `Pipeline.emit`.
        levels: The level of every logger name.
        pipeline: The active pipeline.
        capture: The pipeline of `capture_logs`, which comes first.
        configured: Whether the program itself configured logging.
        intercepting: Whether standard logging ends in the pipeline.
        retired: How many lines the replaced pipelines wrote and dropped.
        lock: Held while the configuration changes.
    """

    __slots__ = (
        "__weakref__",
        "capture",
        "configured",
        "emit",
        "intercepting",
        "levels",
        "lock",
        "pipeline",
        "retired",
    )

    emit: Callable[..., None]

    def __init__(self) -> None:
        self.levels = Levels()
        self.lock = threading.RLock()
        self.pipeline: Pipeline | None = None
        self.capture: Pipeline | None = None
        self.configured = False
        self.intercepting = False
        self.retired = [0, 0]
        self.emit = self._first_emit
        forks.renew(self)

    def renew_after_fork(self) -> None:
        """Replace the lock: its holder does not exist in the child."""
        self.lock = threading.RLock()

    def use(self) -> None:
        """Direct the loggers to the capture, if there is one, else to the pipeline."""
        active = self.capture or self.pipeline
        self.emit = active.emit if active else self._first_emit

    def _first_emit(self, *args: Any) -> None:
        """Write the first line of a program that never called `configure_logging`."""
        with self.lock:
            if self.pipeline is None:
                self._start_quietly()
        self.emit(*args)

    def _start_quietly(self) -> None:
        """Start with the settings of the environment, else with text on stderr; change nothing else."""
        from .._output.choose import choose_encoder, open_output
        from .._output.pipeline import Pipeline

        defaults: dict[str, str] = {"format": "text", "output": "stderr"}
        try:
            settings = from_environment(**defaults)
        except ValueError as error:
            warnings.warn(f"logging is not configured as asked: {error}", stacklevel=4)
            settings = {"level": "INFO", **defaults}
        encode = choose_encoder(settings["format"])
        self.pipeline = Pipeline(open_output(settings["output"]), get_sanitizer(), encode)
        self.levels.set(parse_level(settings["level"]))
        self.use()


def from_environment(**defaults: str) -> dict[str, str]:
    """Return level, format and output from `LOG_LEVEL`, `LOG_FORMAT` and `LOG_OUTPUT`.

    Raises:
        ValueError: A variable has an unknown value; the message names the variable.
    """
    from .._output.choose import choose_encoder

    settings = {
        name: os.environ.get(f"LOG_{name.upper()}") or default
        for name, default in {"level": "INFO", **defaults}.items()
    }
    parse_level(settings["level"], "LOG_LEVEL")
    settings["format"] = settings["format"].strip().lower()
    choose_encoder(settings["format"], argument="LOG_FORMAT")
    return settings


STATE: Final = State()
