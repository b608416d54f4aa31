"""Sanitizer: a clean copy of any value, with its own types or ready for JSON.

Never raises, whatever a value's own methods do, and never changes the caller's objects.
"""

from __future__ import annotations

import enum
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from shared.core import checks
from shared.core.redaction import MARKER, PLAIN, SECRET, key_verdict, make_scrub

from .plain import MAX_ITEMS, MAX_NODES, fields_of, plain
from .texts import MAX_TEXT, SCALARS, cut, encodable, text_of, unprintable

MAX_DEPTH: Final = 24
_CACHE_LIMIT: Final = 4_096


class Sanitizer:
    """Finds secrets by key and by pattern and replaces them with a fixed marker.

    Args:
        keys: More keys whose values are secret (compared without case, `-` equals `_`).
        patterns: More regular expressions for secrets inside texts. If one has a group, only
            group 1 is replaced.
        safe_keys: Keys whose values are never judged by their key.

    Raises:
        ValueError: A pattern is not a valid regular expression.
        TypeError: A single string was given instead of a collection.

    Example:
        >>> Sanitizer(keys=["badge"]).clean({"badge": 7, "author": "Ada", "url": "http://a:b@c/"})
        {'badge': '[REDACTED]', 'author': 'Ada', 'url': 'http://a:[REDACTED]@c/'}
    """

    def __init__(
        self,
        keys: Iterable[str] = (),
        patterns: Iterable[str | re.Pattern[str]] = (),
        safe_keys: Iterable[str] = (),
    ) -> None:
        for name, given in (("keys", keys), ("patterns", patterns), ("safe_keys", safe_keys)):
            if isinstance(given, str):
                raise checks.refuse(name, "a collection of strings", given, TypeError)
        self._keys = frozenset(_norm(key) for key in keys)
        self._safe = frozenset(_norm(key) for key in safe_keys)
        compiled = []
        for pattern in patterns:
            try:
                compiled.append(re.compile(pattern))
            except re.error as error:
                allowed = f"regular expressions ({error})"
                raise checks.refuse("patterns", allowed, pattern) from error
        self._verdicts: dict[str, int] = {}
        self._scrub = make_scrub(self.verdict, self._keys, compiled)
        self.texts: dict[str, str] = {}

    def verdict(self, key: str) -> int:
        """Judge a key: `PLAIN`, `SECRET` or `SECRET_UNLESS_NUMBER`. Cached."""
        known = self._verdicts.get(key)
        if known is None:
            norm = _norm(key)
            if norm in self._keys:
                known = SECRET
            elif norm in self._safe:
                known = PLAIN
            else:
                known = key_verdict(key[:200])
            if len(self._verdicts) >= _CACHE_LIMIT:
                self._verdicts.clear()
            self._verdicts[key] = known
        return known

    def text(self, text: str) -> str:
        """Return the text without secrets, cut to a reasonable length."""
        known = self.texts.get(text)
        return self.learn(text) if known is None else known

    def learn(self, text: str) -> str:
        """Do what `text` does, for a text that is not in the cache yet."""
        clean = self._scrub(text if len(text) <= MAX_TEXT else cut(text))
        if len(text) < 256:  # short texts recur; long ones only fill the memory
            if len(self.texts) >= _CACHE_LIMIT:
                self.texts.clear()
            # The same object if nothing was found: the hot path compares by identity.
            self.texts[text] = clean
        return clean

    def clean(self, value: Any) -> Any:
        """Return a copy of the value without secrets; the value itself is not changed.

        Args:
            value: Anything. Dicts, lists, tuples and sets are searched; other objects stay.

        Returns:
            The same shape with the same types; cycles and depths beyond 24 become a text.
        """
        return _Walk(self, json=False).walk(value, 0)

    def jsonable(self, value: Any) -> Any:
        """Return a clean copy that consists only of what JSON can hold."""
        return _Walk(self, json=True).walk(value, 0)


class _NoSanitizer(Sanitizer):
    """The sanitizer of `redact=False`: only the shape is made safe."""

    def __init__(self) -> None:
        super().__init__()
        self._scrub = str  # the text itself

    def verdict(self, key: str) -> int:  # noqa: ARG002 - the signature of Sanitizer
        return PLAIN


def make_sanitizer(redact: bool | Sanitizer) -> Sanitizer:
    """Return the sanitizer for the `redact` argument of `configure_logging`."""
    if isinstance(redact, Sanitizer):
        return redact
    if not isinstance(redact, bool):
        raise checks.refuse("redact", "True, False or a Sanitizer", redact, TypeError)
    return Sanitizer() if redact else _NoSanitizer()


class _Walk:
    """One walk over one value; it knows the open containers and how much it has seen."""

    __slots__ = ("_json", "_nodes", "_open", "_sanitizer")

    def __init__(self, sanitizer: Sanitizer, *, json: bool) -> None:
        self._sanitizer = sanitizer
        self._json = json
        self._open: set[int] = set()
        self._nodes = 0

    def walk(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            text = self._sanitizer.text(value)
            return encodable(text) if self._json and not text.isascii() else text
        if kind in SCALARS:
            if self._json and kind is int and not -(2**63) <= value < 2**63:
                return text_of(value)
            return value
        self._nodes += 1
        if isinstance(value, (Mapping, list, tuple, set, frozenset)) and not _is_enum(value):
            return self._container(value, depth)
        if isinstance(value, (bytes, bytearray, memoryview)):
            text = self._sanitizer.text(text_of(bytes(value[: MAX_TEXT * 2])))
            if self._json:
                return encodable(text)
            return (
                value if not isinstance(value, bytes) or text == text_of(value) else text.encode()
            )
        return self._leaf(value, depth) if self._json else value

    def _container(self, value: Any, depth: int) -> Any:
        if depth >= MAX_DEPTH or self._nodes >= MAX_NODES:
            return f"<{type(value).__name__} not shown: too {'deep' if depth >= MAX_DEPTH else 'large'}>"
        if id(value) in self._open:
            return f"<{type(value).__name__} not shown: contains itself>"
        self._open.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self._mapping(value, depth + 1)
            if (named := fields_of(value)) is not None:
                clean = self._mapping(named, depth + 1)
                return clean if self._json else type(value)._make(clean.values())
            return self._sequence(value, depth + 1)
        except Exception:  # noqa: BLE001 - its own iteration failed
            return unprintable(value)
        finally:
            self._open.discard(id(value))

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        clean: dict[Any, Any] = {}
        for index, (key, item) in enumerate(value.items()):
            if index >= MAX_ITEMS and self._json:
                clean["..."] = f"[cut {len(value) - MAX_ITEMS} entries]"
                break
            name = key if type(key) is str else text_of(key)
            judged = self._sanitizer.verdict(name)
            if judged and (judged == SECRET or type(item) not in SCALARS):
                item = MARKER
            else:
                item = self.walk(item, depth)
            if self._json or type(key) is str:
                key = self._sanitizer.text(name)
                if self._json:
                    key = encodable(key)
                    while key in clean:  # 1 and "1" are different keys: keep both
                        key += "_"
            clean[key] = item
        return clean

    def _sequence(self, value: Any, depth: int) -> Any:
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], (str, bytes)):
            name = text_of(value[0])  # a pair, as in a list of headers
            if type(value[1]) not in SCALARS and self._sanitizer.verdict(name):
                value = (value[0], MARKER)
        items: list[Any] = []
        for index, item in enumerate(value):
            if self._json and index >= MAX_ITEMS:
                items.append(f"[cut {len(value) - MAX_ITEMS} entries]")
                break
            items.append(self.walk(item, depth))
        if self._json or isinstance(value, list):
            return items
        return tuple(items) if isinstance(value, tuple) else type(value)(items)

    def _leaf(self, value: Any, depth: int) -> Any:
        try:
            shown = plain(value)
            if isinstance(shown, Sequence) and not isinstance(shown, (str, list, tuple)):
                return self._container(shown, depth)  # a range, a deque, an array of its own kind
            if shown is not value:
                return self.walk(shown, depth + 1) if depth < MAX_DEPTH else text_of(value)
            if isinstance(value, float):
                return float(value)
            if not isinstance(value, str) and hasattr(type(value), "__index__"):
                return self.walk(operator.index(value), depth)
        except Exception:  # noqa: BLE001 - its own methods failed
            return unprintable(value)
        if isinstance(value, BaseException):
            return encodable(self._sanitizer.text(f"{type(value).__name__}: {text_of(value)}"))
        return encodable(self._sanitizer.text(text_of(value)))


def _is_enum(value: object) -> bool:
    return isinstance(value, enum.Enum)


def _norm(key: str) -> str:
    return key.lower().replace("-", "_")
