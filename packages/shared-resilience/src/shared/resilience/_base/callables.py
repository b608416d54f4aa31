"""Names for bare wrappers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from shared.core.callables import describe

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def module_of(fn: Any) -> str:
    """Return the name of the module that defines a callable, or its class."""
    return getattr(fn, "__module__", None) or type(fn).__module__


def named_like(wrapper: Callable[..., T], fn: Callable[..., Any]) -> Callable[..., T]:
    """Give a bare wrapper the name of what it wraps, for policies around it."""
    wrapper.__qualname__ = describe(fn)
    wrapper.__module__ = module_of(fn)
    wrapper.__wrapped__ = fn  # type: ignore[attr-defined]
    return wrapper
