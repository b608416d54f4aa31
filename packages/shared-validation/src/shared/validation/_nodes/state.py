"""What one validation by a schema that contains itself remembers: where it is, and what it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .._base.problems import Problem, Problems

if TYPE_CHECKING:
    from collections.abc import Callable

DEEPEST: Final = 200
_OPEN: Final = object()
_FAILED: Final = object()
_MISSING: Final = object()
_NEW: Final = (_MISSING, None)
_PLAIN: Final = frozenset({str, int, float, bool, bytes, type(None)})


class State:
    """The containers on the way, and the outcome of those that are done."""

    __slots__ = ("depth", "seen")

    def __init__(self) -> None:
        self.depth = 0
        self.seen: dict[tuple[int, int], tuple[Any, Any]] = {}


class Again:
    """A schema within itself: its check is known only when the whole is built."""

    __slots__ = ("check",)

    def __init__(self) -> None:
        self.check: Callable[[Any, State | None], Any] | None = None

    def run(self, value: Any, state: State | None) -> Any:
        """Check one level deeper; each object once, so that shared parts do not multiply."""
        check = self.check
        assert check is not None
        assert state is not None
        if type(value) in _PLAIN:
            return check(value, state)
        key = (id(self), id(value))
        # The value is kept with its outcome: an id means something only as long as its object lives.
        known = state.seen.get(key, _NEW)[0]
        if known is _OPEN:
            return _invalid("free of itself", value)
        if known is _FAILED:
            return _invalid("valid, as at the other place where it stands", value)
        if known is not _MISSING:
            return known
        if state.depth >= DEEPEST:
            return too_deep(value)
        state.depth += 1
        state.seen[key] = (_OPEN, value)
        try:
            result = check(value, state)
        finally:
            state.depth -= 1
        state.seen[key] = (_FAILED if type(result) is Problems else result, value)
        return result


def too_deep(value: Any) -> Problems:
    """Return the problem of data that is nested too deeply."""
    return _invalid(f"nested at most {DEEPEST} deep", value)


def _invalid(what: str, value: Any) -> Problems:
    return Problems([Problem("invalid", what, value, got="", context={"depth": DEEPEST})])
