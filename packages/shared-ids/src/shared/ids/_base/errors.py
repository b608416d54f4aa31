# ruff: noqa: N818 - these names are what users catch
"""What can go wrong."""

from __future__ import annotations

from shared.core.faces import PackageError


class IdsError(PackageError):
    """The base of the errors of this package."""


class InvalidId(IdsError, ValueError):
    """A text is not an id of the kind that was expected.

    Example:
        >>> from shared.ids import parse_id
        >>> try:
        ...     parse_id("user_42")
        ... except InvalidId as error:
        ...     print(error)
        id must be PREFIX_ and 26 characters of Crockford's base 32, not 'user_42'
    """


class ClockMovedBack(IdsError):
    """The clock went back further than a `Snowflake` can bridge.

    Attributes:
        seconds: How far.
    """

    def __init__(self, message: str = "", *, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds: float = seconds
