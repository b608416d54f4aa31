"""Values that nothing shows: not repr, not vars, not pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ._reasons import chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Sealed:
    """Keyword arguments with secrets among them, kept in a closure.

    Example:
        >>> sealed = Sealed({"password": "x"})
        >>> sealed, sealed.open()["password"]
        (Sealed(), 'x')
    """

    __slots__ = ("open",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        kept = dict(values)
        self.open: Callable[[], dict[str, Any]] = lambda: dict(kept)

    def __repr__(self) -> str:
        return "Sealed()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed configuration is not pickled: it may hold secrets")


def scrub(error: BaseException) -> BaseException:
    """Frees a driver's error of what may hold a secret: private fields and frames' locals.

    Args:
        error: The driver's error, to become a ``__cause__``.

    Returns:
        The same error.
    """
    for inner in chain(error):
        for name in ("_pgconn", "pgconn", "_request"):
            if name in vars(inner):
                setattr(inner, name, None)
        inner.__traceback__ = None
    return error


def without(text: str, values: Mapping[str, Any]) -> str:
    """A text without the secrets among those values."""
    for name in ("password", "api_key", "sslpassword"):
        secret = str(values.get(name) or "")
        if secret:
            text = text.replace(secret, "***")
    return text
