"""What every line of the current task carries: bound fields and the correlation id.

One context variable holds one immutable value, so nothing crosses tasks or threads by itself.
"""

from __future__ import annotations

import contextvars
import functools
import uuid
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from shared.core.callables import kind_of, wrap

from .._redaction.active import get_sanitizer
from .fields import clean_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")


class Bound:
    """Fields as given, and clean for the active sanitizer: cleaned once, not once per line."""

    __slots__ = ("fields", "raw", "sanitizer", "suppressed")

    def __init__(self, raw: Mapping[str, Any], suppressed: int = 0) -> None:
        self.raw: Mapping[str, Any] = raw
        self.suppressed: int = suppressed
        self.fields: dict[str, Any] = {}
        self.sanitizer: object = None
        if raw:
            self.clean()

    def clean(self) -> dict[str, Any]:
        """Return the fields as they go into a line; never change the returned dict."""
        sanitizer = get_sanitizer()
        if self.sanitizer is not sanitizer:
            self.fields = clean_bound(self.raw, sanitizer)
            self.sanitizer = sanitizer
        return self.fields


EMPTY = Bound({})
CONTEXT: contextvars.ContextVar[Bound] = contextvars.ContextVar("log_context", default=EMPTY)


def bind(**fields: Any) -> None:
    """Add fields to every later line of this task or thread.

    In a plain thread pool they stay with the worker thread: use `log_context` there, or
    `ContextThreadPoolExecutor`, where every job has its own context.

    Args:
        **fields: Any names and values; secrets are removed once, here.

    Example:
        >>> bind(order_id=7)
        >>> unbind("order_id")
    """
    CONTEXT.set(Bound({**CONTEXT.get().raw, **fields}))


def unbind(*names: str) -> None:
    """Remove fields from the context of this task or thread; unknown names are ignored.

    Args:
        *names: The fields to remove; all of them if omitted.
    """
    raw = CONTEXT.get().raw
    CONTEXT.set(Bound({k: v for k, v in raw.items() if k not in names}) if names else EMPTY)


class log_context:  # noqa: N801 - used as a function
    """Add fields to the lines inside a `with` block or a decorated function of any kind.

    What `bind` adds inside also ends with the block. A generator's fields are present only while
    the generator itself runs.

    Args:
        **fields: Any names and values.

    Example:
        >>> with log_context(order_id=7):
        ...     pass
    """

    __slots__ = ("_before", "_fields", "_mine")

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def __call__(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Decorate a function."""
        return wrap(fn, lambda _args, _kwargs: self._again(), stepwise=True, by=type(self).__name__)

    def _again(self) -> log_context:
        return log_context(**self._fields)

    def __enter__(self) -> Any:
        """Add the fields."""
        self._before: Bound = CONTEXT.get()
        self._mine: Bound = Bound({**self._before.raw, **self._fields})
        CONTEXT.set(self._mine)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Set, not reset: a generator may be closed in another context than it started in.
        CONTEXT.set(self._before)

    def resume(self) -> None:
        """Put the fields in place, unless they are: right after `__enter__`."""
        current = CONTEXT.get()
        if current is not self._mine:
            self._before = current
            CONTEXT.set(self._mine)

    def suspend(self) -> None:
        """Put back what was there before."""
        self._mine = CONTEXT.get()
        CONTEXT.set(self._before)


def correlation_id() -> str | None:
    """Return the correlation id of this task or thread, or None."""
    value = CONTEXT.get().raw.get("correlation_id")
    return None if value is None else str(value)


class correlation(log_context):  # noqa: N801 - used as a function
    """Add a correlation id to the lines inside a `with` block or a decorated function.

    Args:
        id: The id; if omitted, a new random one (32 hex digits) for each use.

    Example:
        >>> with correlation("order-7") as value:
        ...     assert correlation_id() == value
        >>> correlation_id() is None
        True
    """

    __slots__ = ("_id",)

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - the name of the contract
        super().__init__()
        self._id = id

    def _again(self) -> log_context:
        return correlation(self._id)

    def __enter__(self) -> str:
        """Set the id and return it."""
        value = uuid.uuid4().hex if self._id is None else str(self._id)
        self._fields = {"correlation_id": value}
        super().__enter__()
        return value


def propagate(fn: Callable[P, T]) -> Callable[P, T]:
    """Carry the current context (log fields, correlation id, span) into another thread or task.

    Args:
        fn: A function or coroutine function that will run elsewhere.

    Returns:
        The same function, running in a copy of the current context. What it binds stays in its
        copy.

    Example:
        >>> with correlation("a"):
        ...     carried = propagate(correlation_id)
        >>> carried()
        'a'
    """
    context = contextvars.copy_context()
    if kind_of(fn) == "async":
        import asyncio

        @functools.wraps(fn)
        async def in_task(*args: P.args, **kwargs: P.kwargs) -> Any:
            coroutine: Any = fn(*args, **kwargs)
            return await asyncio.create_task(coroutine, context=context.copy())

        return in_task  # type: ignore[return-value]

    @functools.wraps(fn)
    def in_copy(*args: P.args, **kwargs: P.kwargs) -> T:
        return context.copy().run(fn, *args, **kwargs)

    return in_copy
