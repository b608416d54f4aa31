"""Text: lengths, beginnings, choices and patterns."""

from __future__ import annotations

import re
from enum import EnumMeta
from typing import Any, Final

from shared.core.checks import number, refuse, whole

from .._base.problems import Problem, Problems
from .._checks import text
from .._checks.patterns import matcher
from .._nodes import limits
from .._nodes.leaf import STRING, TEXT, Leaf
from .._spec.validator import Constraint, Rule, Validator

is_slug: Final[Validator] = Rule(
    Leaf(
        text.is_slug,
        "lower-case letters, digits and single hyphens",
        "pattern",
        kind=STRING,
        json={"pattern": "^[a-z0-9]+(?:-[a-z0-9]+)*$"},
    )
)
"""Whether text is lower-case letters and digits with single hyphens between them."""
is_json: Final[Validator] = Rule(
    Leaf(
        text.is_json,
        "JSON",
        kind=STRING,
        json={"contentMediaType": "application/json"},
        exact=False,
    )
)
"""Whether text is one JSON document (RFC 8259); NaN is not JSON."""
is_uuid: Final[Validator] = Rule(
    Leaf(text.is_uuid, "a UUID", kind=STRING, json={"format": "uuid"}, exact=False)
)
"""Whether a value is a UUID: 36 characters with hyphens (RFC 9562), or an object of `uuid`."""


def min_length(limit: int) -> Validator:
    """Return a check that text has at least `limit` characters.

    Args:
        limit: A whole number from 0.

    Returns:
        A validator; "too_short" is its code.

    Raises:
        TypeError: `limit` is not a whole number.
        ValueError: It is below 0.

    Example:
        >>> min_length(2)("Jo"), min_length(2)(None), min_length(2)(["a", "b"])
        (True, False, False)
    """
    node = limits.sized("min", limit, TEXT, "character", "minLength")
    return Constraint(node, lambda known: [known.MinLen(limit)])


def max_length(limit: int) -> Validator:
    """Return a check that text has at most `limit` characters.

    Args:
        limit: A whole number from 0.

    Returns:
        A validator; "too_long" is its code.

    Raises:
        TypeError: `limit` is not a whole number.
        ValueError: It is below 0.

    Example:
        >>> max_length(3).validate("four").errors[0].message
        'must be at most 3 characters long, not 4'
    """
    node = limits.sized("max", limit, TEXT, "character", "maxLength")
    return Constraint(node, lambda known: [known.MaxLen(limit)])


def length_between(low: int, high: int) -> Validator:
    """Return a check that text has from `low` to `high` characters.

    Args:
        low: A whole number from 0.
        high: The same, not below `low`.

    Returns:
        A validator; "too_short" and "too_long" are its codes.

    Raises:
        TypeError: One is not a whole number.
        ValueError: One is below 0, or `high` is below `low`.

    Example:
        >>> length_between(2, 4)("abc")
        True
    """
    from .._nodes.group import AllOf

    low = whole("low", low, least=0)
    high = whole("high", high, least=low)
    return Constraint(
        AllOf((min_length(low), max_length(high))),
        lambda known: [known.MinLen(low), known.MaxLen(high)],
    )


def starts_with(*beginnings: str) -> Validator:
    """Return a check that text begins with one of `beginnings`.

    Args:
        *beginnings: Texts.

    Returns:
        A validator; "pattern" is its code.

    Raises:
        TypeError: There is none, or one is not a string.

    Example:
        >>> starts_with("sk_", "pk_")("sk_1"), starts_with("a")(5)
        (True, False)
    """
    found = _texts("beginnings", beginnings)
    pattern = f"^(?:{'|'.join(map(_ecma, found))})"
    return Rule(
        Leaf(
            lambda value: isinstance(value, str) and value.startswith(found),
            f"text that starts with {' or '.join(map(repr, found))}",
            "pattern",
            kind=STRING,
            context={"beginnings": list(found)},
            json={"pattern": pattern},
        )
    )


def ends_with(*endings: str) -> Validator:
    """Return a check that text ends with one of `endings`.

    Args:
        *endings: Texts.

    Returns:
        A validator; "pattern" is its code.

    Raises:
        TypeError: There is none, or one is not a string.

    Example:
        >>> ends_with(".jpg", ".png")("cat.png")
        True
    """
    found = _texts("endings", endings)
    return Rule(
        Leaf(
            lambda value: isinstance(value, str) and value.endswith(found),
            f"text that ends with {' or '.join(map(repr, found))}",
            "pattern",
            kind=STRING,
            context={"endings": list(found)},
            json={"pattern": f"(?:{'|'.join(map(_ecma, found))})$"},
        )
    )


def one_of(*values: Any) -> Validator:
    """Return a check that a value is one of some.

    Args:
        *values: The values; a single list, tuple, set or Enum class stands for what it holds.
            1 and 1.0 are the same, 1 and True are not.

    Returns:
        A validator; "choice" is its code.

    Example:
        >>> one_of("s", "m", "l").validate("xl").errors[0].message
        "must be one of 's', 'm', 'l'"
        >>> one_of(0, 1)(True)
        False
    """
    if len(values) == 1 and isinstance(values[0], (list, tuple, set, frozenset, EnumMeta)):
        values = tuple(values[0])
    return Rule(limits.choice(values))


def matches_pattern(
    pattern: str | bytes | re.Pattern[Any], *, whole: bool = True, timeout: float | None = None
) -> Validator:
    r"""Return a check that text matches a regular expression.

    Args:
        pattern: The expression, or a compiled one.
        whole: Whether it must match the whole text, as `re.fullmatch` does; False searches in it.
        timeout: The most seconds to search, after which the value is refused; needs the extra
            `regex`, whose engine is used. For patterns that users write. None: no limit.

    Returns:
        A validator; "pattern" is its code.

    Raises:
        re.error: The pattern is not one.
        MissingExtra: `timeout` is set and `regex` is not installed.

    Example:
        >>> code = matches_pattern(r"[A-Z]{2}-\d+")
        >>> code("AB-12"), code("AB-12\n"), code(12)
        (True, False, False)
    """
    if not isinstance(pattern, (str, bytes, re.Pattern)):
        raise refuse("pattern", "a string, bytes or a compiled pattern", pattern, TypeError)
    if timeout is not None:
        timeout = number("timeout", timeout, above=0)
    test, compiled = matcher(pattern, whole=whole, timeout=timeout)
    source = compiled.pattern
    json = _pattern(source, whole=whole) if isinstance(pattern, str) else None
    kind = STRING if isinstance(source, str) else TEXT
    leaf = Leaf if timeout is None else _Timed
    return Rule(
        leaf(
            test,
            f"text like {source!r}" if whole else f"text with {source!r} in it",
            "pattern",
            kind=kind,
            context={"pattern": source},
            json=json,
            exact=False,
        )
    )


class _Timed(Leaf):
    """A pattern that may take too long."""

    raises = True

    __slots__ = ()

    def build(self, parts: Any) -> Any:
        test = self.test

        def run(value: Any, _state: Any) -> Any:
            try:
                return value if test(value) else self.fail(value)
            except TimeoutError:
                what = f"{self.what(parts)}, which took too long to find out"
                return Problems([Problem("pattern", what, value, context=self.context)])

        return run


def _pattern(source: str, *, whole: bool) -> dict[str, Any] | None:
    # What Python alone knows would be an error, or mean something else, in ECMA 262.
    if re.search(r"\(\?(?![:=!])|\\[AZzGbB]|[*+?}]\+", source):
        return None
    return {"pattern": f"^(?:{source})$" if whole else source}


def _texts(name: str, texts: tuple[Any, ...]) -> tuple[str, ...]:
    found = texts[0] if len(texts) == 1 and isinstance(texts[0], tuple) else texts
    if not found or not all(isinstance(one, str) for one in found):
        raise refuse(name, "one string or more", found, TypeError)
    return tuple(found)


def _ecma(text: str) -> str:
    return re.sub(r"([\\^$.*+?()\[\]{}|/])", r"\\\1", text)
