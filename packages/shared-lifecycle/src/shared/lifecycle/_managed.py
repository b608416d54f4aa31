"""Several resources in one `with`, closed in reverse order."""

from __future__ import annotations

from contextlib import AsyncExitStack, ExitStack, aclosing, closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType


class managed:  # noqa: N801 - used as a function
    """Enter resources in order and close them in reverse, whatever happens on the way.

    A resource is a context manager or has `close()`; with `async with`, also an
    async context manager or one with `aclose()`. All are closed even if closing
    one fails; that error is raised at the end, as nested `with` blocks do.

    Args:
        resources: What to enter; the block receives their values, one alone or a tuple.

    Raises:
        TypeError: On entering, one can neither be entered nor closed here; those
            before it are closed.

    Example:
        >>> from contextlib import contextmanager
        >>> @contextmanager
        ... def part(name):
        ...     yield name
        ...     print("closed", name)
        >>> with managed(part("database"), part("client")) as (database, client):
        ...     print(database, client)
        database client
        closed client
        closed database
    """

    def __init__(self, *resources: Any) -> None:
        self._resources = resources
        self._stack: ExitStack | None = None
        self._async_stack: AsyncExitStack | None = None

    @staticmethod
    def _block_value(values: list[Any]) -> Any:
        return values[0] if len(values) == 1 else tuple(values)

    def __enter__(self) -> Any:
        with ExitStack() as stack:
            values = []
            for resource in self._resources:
                if hasattr(resource, "__enter__"):
                    values.append(stack.enter_context(resource))
                elif _can(resource, "close") and not _is_async(resource):
                    values.append(stack.enter_context(closing(resource)))
                else:
                    raise TypeError(_complaint(resource, "with"))
            self._stack = stack.pop_all()
        return self._block_value(values)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        stack, self._stack = self._stack, None
        assert stack is not None
        return bool(stack.__exit__(exc_type, exc, traceback))

    async def __aenter__(self) -> Any:
        async with AsyncExitStack() as stack:
            values = []
            for resource in self._resources:
                if hasattr(resource, "__aenter__"):
                    values.append(await stack.enter_async_context(resource))
                elif _can(resource, "aclose"):
                    values.append(await stack.enter_async_context(aclosing(resource)))
                elif hasattr(resource, "__enter__"):
                    values.append(stack.enter_context(resource))
                elif _can(resource, "close"):
                    stack.push_async_callback(_close, resource)
                    values.append(resource)
                else:
                    raise TypeError(_complaint(resource, "async with"))
            self._async_stack = stack.pop_all()
        return self._block_value(values)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        stack, self._async_stack = self._async_stack, None
        assert stack is not None
        return bool(await stack.__aexit__(exc_type, exc, traceback))


async def _close(resource: Any) -> None:
    result = resource.close()
    if hasattr(result, "__await__"):
        await result


def _can(resource: Any, method: str) -> bool:
    return callable(getattr(resource, method, None))


def _is_async(resource: Any) -> bool:
    from shared.core.callables import kind_of

    return kind_of(resource.close) == "async"


def _complaint(resource: Any, block: str) -> str:
    name = type(resource).__name__
    if block == "with" and (hasattr(resource, "__aenter__") or _can(resource, "aclose")):
        return f"{name} can only be closed in an event loop: use 'async with managed(...)'"
    return f"{name} cannot be used in '{block} managed(...)': it has neither a context nor close()"
