"""What every line of the current task carries: bound fields and the correlation id.

One context variable holds one immutable value, so nothing crosses tasks or threads by itself.
"""

from __future__ import annotations

import contextvars
import uuid
import weakref
from contextlib import suppress
from types import CoroutineType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from shared.core.callables import decorate, kind_of

from .._base.calls import wrap
from .._redaction.active import get_sanitizer
from .fields import clean_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")


class Bound:
    """Fields as given, and clean for the active sanitizer: cleaned once, not once per line.

    Attributes:
        raw: The fields as given.
        fields: The fields as they go into a line.
        suppressed: How many lines were omitted before the next one.
        blocks: The blocks that are open here, the innermost last.
    """

    __slots__ = ("__weakref__", "blocks", "fields", "raw", "sanitizer", "suppressed")

    def __init__(
        self, raw: Mapping[str, Any], suppressed: int = 0, blocks: tuple[_Block, ...] = ()
    ) -> None:
        self.raw: Mapping[str, Any] = raw
        self.suppressed: int = suppressed
        self.blocks: tuple[_Block, ...] = blocks
        self.fields: dict[str, Any] = {}
        self.sanitizer: object = None
        for block in blocks:
            block.follow(self)
        if raw:
            self.clean()

    def clean(self) -> dict[str, Any]:
        """Return the fields as they go into a line; never change the returned dict."""
        sanitizer = get_sanitizer()
        if self.sanitizer is not sanitizer:
            self.fields = clean_bound(self.raw, sanitizer)
            self.sanitizer = sanitizer
        return self.fields

    def derive(self, raw: Mapping[str, Any], suppressed: int = 0) -> Bound:
        """Return other fields for the same open blocks."""
        return Bound(raw, suppressed, self.blocks)

    def leave(self, block: _Block) -> None:
        """Drop what a block, and `bind` inside it, added: it was closed from elsewhere."""
        place = self.blocks.index(block)
        raw = dict(block.before.raw)
        for later in self.blocks[place + 1 :]:
            raw.update(later.fields)
        self.blocks = self.blocks[:place] + self.blocks[place + 1 :]
        self.raw, self.sanitizer = raw, None
        self.clean()


class _Block:
    """One entry into a `with` block: closed where it was opened, in any order, or elsewhere."""

    __slots__ = ("_bounds", "before", "fields", "owner", "token")

    token: contextvars.Token[Bound]

    def __init__(self, owner: object, before: Bound, fields: dict[str, Any]) -> None:
        self.owner: object = owner
        self.before: Bound = before
        self.fields: dict[str, Any] = fields
        self._bounds: list[weakref.ref[Bound]] = []

    def follow(self, bound: Bound) -> None:
        """Remember what was bound inside the block, as long as some task has it."""
        if len(self._bounds) > 64:  # `bind` in a loop
            self._bounds = [ref for ref in self._bounds if ref() is not None]
        self._bounds.append(weakref.ref(bound))

    def end(self) -> None:
        """Take the fields out of every context that still has them."""
        for ref in list(self._bounds):
            bound = ref()
            if bound is not None and self in bound.blocks:
                bound.leave(self)


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
    current = CONTEXT.get()
    CONTEXT.set(current.derive({**current.raw, **fields}))


def unbind(*names: str) -> None:
    """Remove fields from the context of this task or thread; unknown names are ignored.

    Args:
        *names: The fields to remove; all of them if omitted.
    """
    current = CONTEXT.get()
    left = {k: v for k, v in current.raw.items() if names and k not in names}
    CONTEXT.set(current.derive(left))


class log_context:  # noqa: N801 - used as a function
    """Add fields to the lines inside a `with` block or a decorated function of any kind.

    What `bind` adds inside also ends with the block, whichever task closes it. A generator's
    fields are present only while the generator itself runs. One object may be used many times, by
    several tasks at once, with `with` or `async with`.

    Args:
        **fields: Any names and values.

    Example:
        >>> with log_context(order_id=7):
        ...     pass
    """

    __slots__ = ("_fields", "_open")

    def __init__(self, **fields: Any) -> None:
        self._fields = fields
        self._open: list[_Block] = []

    def __call__(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Decorate a function."""
        return wrap(
            fn, lambda _args, _kwargs: _Call(self._make()), stepwise=True, by=type(self).__name__
        )

    def _make(self) -> dict[str, Any]:
        """Return the fields of one use."""
        return self._fields

    def __enter__(self) -> Any:
        """Add the fields."""
        before, fields = CONTEXT.get(), self._make()
        block = _Block(self, before, fields)
        mine = Bound({**before.raw, **fields}, 0, (*before.blocks, block))
        block.token = CONTEXT.set(mine)
        self._open.append(block)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        blocks = CONTEXT.get().blocks
        block = next((one for one in reversed(blocks) if one.owner is self), None)
        if block is None:  # opened in another context: this one keeps its own fields
            if self._open:
                self._open.pop().end()
            return
        with suppress(ValueError):
            self._open.remove(block)
        if block is not blocks[-1]:
            block.end()
            return
        try:
            CONTEXT.reset(block.token)
        except (ValueError, RuntimeError):  # a copy of the context that it was opened in
            CONTEXT.set(block.before)
            block.end()

    async def __aenter__(self) -> Any:
        """Do the same as `with`."""
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc, traceback)


class _Call:
    """The fields of one call of a decorated function."""

    __slots__ = ("_before", "_fields", "_mine", "_token")

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def __enter__(self) -> None:
        self._before: Bound = CONTEXT.get()
        self._mine: Bound = self._before.derive({**self._before.raw, **self._fields})
        self._token: contextvars.Token[Bound] | None = CONTEXT.set(self._mine)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            with suppress(ValueError):  # closed by another task, which keeps its own fields
                CONTEXT.reset(self._token)

    def resume(self) -> None:
        """Put the fields in place, unless they are: right after `__enter__`."""
        current = CONTEXT.get()
        if current is not self._mine:
            self._before = current
            CONTEXT.set(self._mine)

    def suspend(self) -> None:
        """Put back what was there before."""
        self._token = None  # a generator: its steps put the fields in place and back
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

    def _make(self) -> dict[str, Any]:
        return {"correlation_id": uuid.uuid4().hex if self._id is None else str(self._id)}

    def __enter__(self) -> str:
        """Set the id and return it."""
        super().__enter__()
        return str(CONTEXT.get().raw["correlation_id"])


def propagate(fn: Callable[P, T]) -> Callable[P, T]:
    """Carry the current context (log fields, correlation id, span) into another thread or task.

    Args:
        fn: A function of any kind that will run elsewhere.

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

    def make(inner: Any) -> Any:
        def in_copy(*args: Any, **kwargs: Any) -> Any:
            own = context.copy()
            result = own.run(inner, *args, **kwargs)
            # A plain function may return a coroutine, too: it runs with the context as well.
            return _in_task(result, own) if isinstance(result, CoroutineType) else result

        async def in_task(*args: Any, **kwargs: Any) -> Any:
            return await _in_task(inner(*args, **kwargs), context.copy())

        kind = kind_of(inner)
        if kind == "async":
            return in_task
        if kind == "sync":
            return in_copy
        return wrap(inner, lambda _args, _kwargs: _Carried(context), stepwise=True)

    return decorate(fn, make, by="propagate")


async def _in_task(coroutine: Any, context: contextvars.Context) -> Any:
    import asyncio

    return await asyncio.create_task(coroutine, context=context)


class _Carried:
    """A context for a generator: in place while the generator itself runs."""

    def __init__(self, context: contextvars.Context) -> None:
        self._values: dict[contextvars.ContextVar[Any], Any] = {CONTEXT: EMPTY, **context}
        self._tokens: list[tuple[contextvars.ContextVar[Any], contextvars.Token[Any]]] = []

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def resume(self) -> None:
        self._tokens = [(var, var.set(value)) for var, value in self._values.items()]

    def suspend(self) -> None:
        self._values = {var: var.get() for var in self._values}
        for var, token in self._tokens:
            var.reset(token)
