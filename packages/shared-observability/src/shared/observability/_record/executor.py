"""A thread pool in which every job has its own context."""

from __future__ import annotations

import contextvars
import functools
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class ContextThreadPoolExecutor(ThreadPoolExecutor):
    """A thread pool whose jobs run in a copy of the submitter's context.

    What a job binds ends with it, so a reused thread never carries an id to the next job.

    Example:
        >>> from shared.observability import correlation, correlation_id
        >>> with ContextThreadPoolExecutor(1) as pool, correlation("a"):
        ...     pool.submit(correlation_id).result()
        'a'
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Submit a job with the current context; see `ThreadPoolExecutor.submit`."""
        job = functools.partial(fn, *args, **kwargs)
        return super().submit(contextvars.copy_context().run, job)
