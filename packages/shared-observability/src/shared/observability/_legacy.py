"""Old names of what has a better one now; they are the same objects."""

from __future__ import annotations

from ._logging.decorators import deprecated as async_deprecated
from ._logging.decorators import log_calls as async_log_calls
from ._logging.decorators import log_exceptions as async_log_exceptions
from ._timing.timers import timed as async_timed
from ._timing.timers import timed as measure_execution_time

__all__ = [
    "async_deprecated",
    "async_log_calls",
    "async_log_exceptions",
    "async_timed",
    "measure_execution_time",
]
