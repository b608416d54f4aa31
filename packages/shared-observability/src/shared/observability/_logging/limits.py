"""Fewer lines: at most one every few seconds, or a random share."""

from __future__ import annotations

import random
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from shared.core import checks, forks

from .._record.context import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_lock = threading.RLock()
_SITES: dict[Hashable, _Site] = {}
_LIMIT: Final = 10_000


class _Site:
    """What is known about one place in the code."""

    __slots__ = ("code", "due", "suppressed")

    def __init__(self, code: object) -> None:
        self.code: object = code  # kept, so that its id is not reused
        self.due: float | None = None
        self.suppressed: int = 0


class Gate:
    """True if the next line may be written; created by `every` and `sample`.

    The answer is worked out again at each test of its truth.
    """

    __slots__ = ("_open", "_site")

    def __init__(self, site: _Site, is_open: Callable[[_Site], bool]) -> None:
        self._site = site
        self._open = is_open

    def __bool__(self) -> bool:
        site = self._site
        with _lock:
            if not self._open(site):
                site.suppressed += 1
                return False
            suppressed, site.suppressed = site.suppressed, 0
        if suppressed:
            current = CONTEXT.get()
            CONTEXT.set(current.derive(current.raw, suppressed))
        return True


def every(
    seconds: float, *, key: Hashable = None, clock: Callable[[], float] = time.monotonic
) -> Gate:
    """Let a line through at most once every `seconds` seconds.

    Counted for each place in the code; the next line of this task carries `suppressed=N`.

    Args:
        seconds: The shortest time between two lines.
        key: Counts separately for each value, such as a customer.
        clock: Returns seconds that never go back.

    Raises:
        ValueError: `seconds` is not above 0.
        TypeError: `seconds` is not a number.

    Example:
        >>> shown = [bool(every(60, clock=lambda: 0.0)) for _ in range(3)]
        >>> shown
        [True, False, False]
    """
    pause = checks.number("seconds", seconds, above=0, finite=False)

    def is_open(site: _Site) -> bool:
        now = clock()
        if site.due is not None and now < site.due:
            return False
        site.due = now + pause
        return True

    return Gate(_site(key), is_open)


def sample(p: float, *, key: Hashable = None, draw: Callable[[], float] = random.random) -> Gate:
    """Let a random share of the lines through; they carry `suppressed=N` for those before them.

    Args:
        p: The share, from 0 to 1.
        key: Counts separately for each value.
        draw: Returns a random number from 0 up to, but not including, 1.

    Raises:
        ValueError: `p` is not from 0 to 1.
        TypeError: `p` is not a number.

    Example:
        >>> bool(sample(1.0)), bool(sample(0.0))
        (True, False)
    """
    share = checks.number("p", p, least=0, most=1)
    return Gate(_site(key), lambda _site: draw() < share)


@forks.after_fork
def _renew() -> None:
    global _lock  # noqa: PLW0603 - the lock of the module
    _lock = threading.RLock()


def _site(key: Hashable) -> _Site:
    frame: Any = sys._getframe(2)  # noqa: SLF001 - the only way to the caller
    place = (id(frame.f_code), frame.f_lineno, key)
    with _lock:
        site = _SITES.get(place)
        if site is None or site.code is not frame.f_code:
            if len(_SITES) >= _LIMIT:  # many keys: forget the oldest place
                del _SITES[next(iter(_SITES))]
            site = _SITES[place] = _Site(frame.f_code)
        return site
