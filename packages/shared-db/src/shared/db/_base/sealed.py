"""Secrets kept out of sight: of repr, vars and pickle, of messages, and of drivers' errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from .reasons import chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Sealed:
    """Keyword arguments with secrets among them, kept in a closure.

    Example:
        >>> sealed = Sealed({"user": "app", "password": "hunter2"})
        >>> sealed, sealed.open()["password"]
        (Sealed([REDACTED]), 'hunter2')
        >>> sealed.hide("no such user or password: app, hunter2")
        'no such user or password: app, [REDACTED]'
    """

    __slots__ = ("open",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        kept = dict(values)
        self.open: Callable[[], dict[str, Any]] = lambda: dict(kept)

    def hide(self, text: str) -> str:
        """Return a driver's text without the secrets among these arguments."""
        from shared.core.redaction import hide, key_verdict

        values = self.open().items()
        return hide(text, [v for name, v in values if isinstance(v, str) and key_verdict(name)])

    def __repr__(self) -> str:
        from shared.core.redaction import MARKER

        return f"Sealed({MARKER})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed configuration is not pickled: it may hold secrets")


def freed(error: BaseException, known: Sealed | None = None) -> BaseException:
    """Free a driver's error of secrets: of private fields, of frames' locals, and in its texts.

    Args:
        error: The driver's error, to become a `__cause__`.
        known: The arguments of the connection, whose secrets the texts may quote.

    Returns:
        The same error.
    """
    from shared.core.redaction import scrub

    for inner in chain(error):
        for name in ("_pgconn", "pgconn", "_request"):
            if name in vars(inner):
                setattr(inner, name, None)
        inner.__traceback__ = None
        texts = [known.hide(one) if known and isinstance(one, str) else one for one in inner.args]
        inner.args = tuple(scrub(one) if isinstance(one, str) else one for one in texts)
    return error


def shown(store: object, name: str, place: str) -> str:
    """Return the repr of a store; a secret that was passed as its name or host does not show."""
    from shared.core.redaction import scrub

    return scrub(f"<{type(store).__name__} {name!r} {place}>")
