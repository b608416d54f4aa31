"""A user's pattern, with a time limit if asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._base.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable


def matcher(
    pattern: Any, *, whole: bool, timeout: float | None
) -> tuple[Callable[[Any], bool], Any]:
    """Return a function that says whether text matches, and the compiled pattern.

    The function raises TimeoutError beyond `timeout` seconds.
    """
    if timeout is None:
        compiled: Any = re.compile(pattern)
        match = compiled.fullmatch if whole else compiled.search
    else:
        try:
            import regex
        except ImportError:
            raise MissingExtra("a time limit of a pattern", "regex", "regex") from None
        if isinstance(pattern, re.Pattern):
            flags = pattern.flags & ~re.UNICODE
            compiled = regex.compile(pattern.pattern, flags)
        else:
            compiled = regex.compile(pattern)
        plain = compiled.fullmatch if whole else compiled.search

        def match(text: Any) -> Any:
            # `concurrent`: other threads run while it searches.
            return plain(text, timeout=timeout, concurrent=True)

    kind = type(compiled.pattern)
    return lambda value: isinstance(value, kind) and match(value) is not None, compiled
