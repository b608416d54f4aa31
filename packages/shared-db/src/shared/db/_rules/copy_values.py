"""Values for COPY, by the type of their column: what is ready, what is converted, what is refused.

PostgreSQL's dumpers check nothing: the text 'false' would be stored as true, 30 as an interval of
30 days. So each type has a rule. What is ready is judged a column at a time, at the speed of C.
"""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import json
import math
import numbers
import operator
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from shared.core.checks import refuse

from .postgres import driver

Convert = Callable[[Any], Any]

REAL, NUMERIC = 700, 1700
INTEGERS = {21: 16, 23: 32, 20: 64}
REAL_MAX = 3.4028235677973366e38  # what rounds to the largest float of 32 bits
_BOOL, _BYTEA, _CHAR, _NAME, _OID, _DOUBLE, _UUID = 16, 17, 18, 19, 26, 701, 2950
_TEXTS = {25, 1042, 1043}
_DATE, _TIME, _TIMESTAMP, _TIMESTAMPTZ, _INTERVAL, _TIMETZ = 1082, 1083, 1114, 1184, 1186, 1266
_JSON, _JSONB, _INET, _CIDR = 114, 3802, 869, 650
_RANGES = {3904: 23, 3926: 20, 3906: 1700, 3908: 1114, 3910: 1184, 3912: 1082}
_MULTIRANGES = {4451: 3904, 4536: 3926, 4532: 3906, 4533: 3908, 4534: 3910, 4535: 3912}
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_NONE = type(None)
_NOT_NONE = partial(operator.is_not, None)
_ZONE = operator.attrgetter("tzinfo")
MISFITS = (TypeError, ValueError, ArithmeticError, AttributeError)


@dataclass(frozen=True)
class Rule:
    """What a column takes.

    Attributes:
        plain: The exact types whose values the driver writes as they are.
        convert: Returns another value in one of those types; raises if it does not fit.
        check: Judges a column of plain values.
        limited: Whether the column has a length.
    """

    plain: frozenset[type]
    convert: Convert
    check: Callable[[Sequence[Any]], bool] | None = None
    limited: bool = False

    def fits(self, values: Sequence[Any]) -> bool:
        """Report whether every value is ready as it is."""
        if not self.plain.issuperset(map(type, values)):
            return False
        return self.check is None or self.check(values)

    def ready(self, value: Any) -> Any:
        """Return a value made ready; a missing one of any library as None."""
        if value is None:
            return None
        if hasattr(value, "as_py"):  # a scalar of Arrow
            value = value.as_py()
        return None if _is_missing(value) else self.convert(value)


@dataclass(frozen=True)
class ColumnType:
    """The type of a column.

    Attributes:
        oid: Its number; of a domain, that of the type under it.
        labels: Those of an enum.
        modifier: PostgreSQL's modifier, such as the length of a varchar; -1 without one.
    """

    oid: int
    labels: tuple[str, ...] = ()
    modifier: int = -1


def rule_of(kind: ColumnType, element: ColumnType | None = None) -> Rule:
    """Return what a column of a type takes; of an array, given the type of its elements."""
    if element is not None:
        return make_rule(frozenset(), partial(_array, rule_of(element), element.oid == NUMERIC))
    if kind.labels:
        return make_rule((), partial(to_label, frozenset(kind.labels)))
    if kind.oid in _TEXTS or kind.oid in {_CHAR, _NAME}:
        return _texts(kind)
    if kind.oid in INTEGERS:
        return integers(-(1 << INTEGERS[kind.oid] - 1), (1 << INTEGERS[kind.oid] - 1) - 1)
    if kind.oid == _OID:
        return integers(0, (1 << 32) - 1)
    if kind.oid == NUMERIC and kind.modifier >= 0:
        precision, scale = _precision(kind.modifier)
        return make_rule((), partial(_limited_decimal, precision, scale))
    if kind.oid in _RANGES:
        return make_rule((), partial(_range, rule_of(ColumnType(_RANGES[kind.oid]))))
    if kind.oid in _MULTIRANGES:
        return make_rule((), partial(_multirange, rule_of(ColumnType(_MULTIRANGES[kind.oid]))))
    known: dict[int, Rule] = {
        _BOOL: make_rule((bool,), to_bool),
        _BYTEA: make_rule((bytes,), to_bytes),
        REAL: make_rule((float,), to_real, are_reals),
        _DOUBLE: make_rule((float,), to_double),
        NUMERIC: make_rule((Decimal,), to_decimal, _are_decimals),
        _DATE: make_rule((dt.date,), to_date),
        _TIME: make_rule((), partial(_time, aware=False)),
        _TIMETZ: make_rule((), partial(_time, aware=True)),
        _TIMESTAMP: make_rule((dt.datetime,), partial(to_timestamp, aware=False), _are_naive),
        _TIMESTAMPTZ: make_rule((dt.datetime,), partial(to_timestamp, aware=True), are_aware),
        _INTERVAL: make_rule((dt.timedelta,), _interval),
        _JSON: make_rule((), partial(_json, binary=False)),
        _JSONB: make_rule((), partial(_json, binary=True)),
        _UUID: make_rule((uuid.UUID,), to_uuid),
        _INET: make_rule((), partial(_address, network=False)),
        _CIDR: make_rule((), partial(_address, network=True)),
    }
    # Of another type the text: the server reads it.
    return known.get(kind.oid) or make_rule((str,), lambda value: value)


def make_rule(
    plain: Iterable[type],
    convert: Convert,
    check: Callable[[Sequence[Any]], bool] | None = None,
) -> Rule:
    """Return a rule; NULL is ready too."""
    types = frozenset(plain)
    return Rule(types | {_NONE} if types else types, convert, check)


def _is_missing(value: Any) -> bool:
    """Whether it is NaT or NA: the missing value of pandas, and of NumPy's times."""
    name = type(value).__name__
    if name in {"NaTType", "NAType"}:
        return True
    return name in {"datetime64", "timedelta64"} and bool(value != value)  # noqa: PLR0124 - NaT


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"}


def integers(low: int, high: int) -> Rule:
    """Return the rule for whole numbers in a range."""

    def are_in_range(values: Sequence[Any]) -> bool:
        try:
            return bool(max(values) <= high and min(values) >= low)
        except TypeError:
            rest = list(filter(_NOT_NONE, values))
            return not rest or (max(rest) <= high and min(rest) >= low)

    def convert(value: Any) -> int:
        try:
            number = int(value) if _is_bool(value) else operator.index(value)
        except TypeError:
            raise refuse("an integer", "a whole number", value, TypeError) from None
        if not low <= number <= high:
            raise OverflowError(f"{number} is out of range ({low} to {high})")
        return number

    return make_rule((int,), convert, are_in_range)


def are_reals(values: Sequence[Any]) -> bool:
    """Report whether floats fit 32 bits."""
    try:
        return bool(max(map(abs, values)) <= REAL_MAX)
    except TypeError:
        return max(map(abs, filter(_NOT_NONE, values)), default=0) <= REAL_MAX


def to_double(value: Any) -> float:
    """Return a number as a float."""
    if not _is_bool(value) and not isinstance(value, (numbers.Real, Decimal)):
        raise refuse("a float", "a number", value, TypeError)
    number = float(value)
    if math.isinf(number) and value != number:
        raise OverflowError(f"{value} is out of range for type double precision")
    return number


def to_real(value: Any) -> float:
    """Return a number as a float of 32 bits."""
    number = to_double(value)
    if abs(number) > REAL_MAX and not math.isinf(number):
        raise OverflowError(f"{number} is out of range for type real")
    return number


def _are_decimals(values: Sequence[Any]) -> bool:
    sizes = [value.adjusted() for value in values if value is not None]
    return not sizes or (max(sizes) < 131_072 and min(sizes) > -16_384)


def to_decimal(value: Any) -> Decimal:
    """Return a number as a Decimal, a float by its shortest digits."""
    if isinstance(value, Decimal):
        number = value
    elif _is_bool(value):
        number = Decimal(int(value))
    elif not isinstance(value, (numbers.Integral, float)):
        if type(value).__module__ != "numpy" or not isinstance(value, numbers.Real):
            raise refuse("a numeric", "a number", value, TypeError)
        number = Decimal(str(value))  # a float of 16 or 32 bits: its own shortest digits
    elif isinstance(value, float):
        number = Decimal(repr(float(value)))
    else:
        number = Decimal(operator.index(value))
    if not _are_decimals((number,)):
        raise OverflowError(f"{number} is out of range for type numeric")
    return number


def _precision(modifier: int) -> tuple[int, int]:
    scale = (modifier - 4) & 0x7FF
    return ((modifier - 4) >> 16) & 0xFFFF, (scale ^ 1024) - 1024  # the scale has a sign


def _limited_decimal(precision: int, scale: int, value: Any) -> Decimal:
    number = to_decimal(value)
    if number.is_finite() and number:
        # Rounded half away from zero to the column's scale, as PostgreSQL does it.
        half = Decimal((0, (5,), -scale - 1))
        if number.adjusted() > precision or abs(number) + half >= Decimal(1).scaleb(
            precision - scale
        ):
            raise OverflowError(f"{number} is out of range for numeric({precision},{scale})")
    elif number.is_infinite():
        raise OverflowError(f"{number} is out of range for numeric({precision},{scale})")
    return number


def _texts(kind: ColumnType) -> Rule:
    most = 1 if kind.oid == _CHAR else kind.modifier - 4 if kind.modifier >= 0 else None

    def are_storable(values: Sequence[Any]) -> bool:
        try:
            whole = "".join(values)
        except TypeError:
            values = list(filter(_NOT_NONE, values))
            whole = "".join(values)
        if "\0" in whole or (kind.oid == _CHAR and not whole.isascii()):
            return False
        return most is None or len(whole) <= most or max(map(len, values)) <= most

    def convert(value: Any) -> str:
        if not isinstance(value, str):
            raise refuse("a text", "a string", value, TypeError)
        text = str.__str__(value)
        if "\0" in text:
            raise ValueError("text with a NUL character, which PostgreSQL cannot hold")
        if most is not None and len(text) > most and len(text.rstrip(" ")) > most:
            raise ValueError(f"{len(text)} characters are too long for {most}")
        if kind.oid == _CHAR and not text.isascii():
            raise refuse("a value", "one ASCII character", value)
        return text

    return Rule(frozenset((str, _NONE)), convert, are_storable, limited=most is not None)


def to_label(labels: frozenset[str], value: Any) -> str:
    """Return a label or a member of an enum as its label."""
    found = value
    if isinstance(value, enum.Enum):
        found = value.value if isinstance(value.value, str) else value.name
    if not isinstance(found, str):
        raise refuse("an enum", "one of its labels", value, TypeError)
    found = str.__str__(found)
    if found not in labels:
        raise refuse("an enum", f"one of {', '.join(sorted(labels))}", value)
    return found


def to_bool(value: Any) -> bool:
    """Return True or False of Python or NumPy."""
    if not _is_bool(value):
        raise refuse("a boolean", "True or False", value, TypeError)
    return bool(value)


def to_bytes(value: Any) -> bytes:
    """Return bytes."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise refuse("a bytea", "bytes", value, TypeError)
    return bytes(value)


def _moment(value: Any) -> Any:
    """Return a time of NumPy or pandas as Python's; what has nanoseconds does not fit."""
    if type(value).__module__ == "numpy" and hasattr(value, "astype"):
        kind = value.dtype.kind
        if kind not in "mM" or str(value.dtype).endswith("64"):  # no unit
            return value
        exact = value.astype(f"{kind}8[us]")
        if exact != value:
            raise ValueError(f"{value} has nanoseconds: round it to microseconds first")
        return exact.item()
    if getattr(value, "nanosecond", 0) or getattr(value, "nanoseconds", 0):
        raise ValueError(f"{value} has nanoseconds: round it to microseconds first")
    for name in ("to_pydatetime", "to_pytimedelta"):
        if hasattr(value, name):
            return getattr(value, name)()
    return value


def to_date(value: Any) -> dt.date:
    """Return a date; a datetime has no time of day."""
    found = _moment(value)
    if isinstance(found, dt.datetime):
        if found.tzinfo is not None or found.time() != dt.time():
            raise refuse("a date", "without a time of day", value)
        return found.date()
    if not isinstance(found, dt.date):
        raise refuse("a date", "a date", value, TypeError)
    return found


def _are_naive(values: Sequence[Any]) -> bool:
    return set(map(_ZONE, filter(_NOT_NONE, values))) <= {None}


def are_aware(values: Sequence[Any]) -> bool:
    """Report whether datetimes have zones."""
    return None not in set(map(_ZONE, filter(_NOT_NONE, values)))


def to_timestamp(value: Any, *, aware: bool) -> dt.datetime:
    """Return a datetime with or without a zone."""
    found = _moment(value)
    if isinstance(found, dt.date) and not isinstance(found, dt.datetime) and not aware:
        return dt.datetime.combine(found, dt.time())
    if not isinstance(found, dt.datetime):
        raise refuse("a timestamp", "a datetime", value, TypeError)
    if (found.utcoffset() is not None) is not aware:
        raise refuse("a timestamp", f"{'with' if aware else 'without'} a time zone", value)
    return found if aware else found.replace(tzinfo=None)


def _time(value: Any, *, aware: bool) -> dt.time:
    if not isinstance(value, dt.time):
        raise refuse("a time", "a time", value, TypeError)
    if (value.utcoffset() is not None) is not aware or (value.tzinfo is not None and not aware):
        raise refuse("a time", f"{'with' if aware else 'without'} a fixed time zone", value)
    return value


def _interval(value: Any) -> dt.timedelta:
    found = _moment(value)
    if not isinstance(found, dt.timedelta):
        raise refuse("an interval", "a timedelta", value, TypeError)
    return found


def to_uuid(value: Any) -> uuid.UUID:
    """Return a UUID, of its text too."""
    if isinstance(value, str):
        return uuid.UUID(value)
    if not isinstance(value, uuid.UUID):
        raise refuse("a uuid", "a UUID or its text", value, TypeError)
    return value


def _json(value: Any, *, binary: bool) -> Any:
    wrappers = driver().types.json
    if isinstance(value, (wrappers.Json, wrappers.Jsonb)):
        value = value.obj
    text = json.dumps(value, allow_nan=False)
    if binary and "\\u0000" in text and _NUL.search(text):
        raise ValueError("text with a NUL character, which PostgreSQL cannot hold")
    return (wrappers.Jsonb if binary else wrappers.Json)(value, lambda _value: text)


def _address(value: Any, *, network: bool) -> Any:
    if isinstance(value, str):
        if network:
            return ipaddress.ip_network(value)
        return ipaddress.ip_interface(value) if "/" in value else ipaddress.ip_address(value)
    networks = (ipaddress.IPv4Network, ipaddress.IPv6Network)
    addresses = (ipaddress.IPv4Address, ipaddress.IPv6Address)  # and interfaces, their subclasses
    if not isinstance(value, networks if network else addresses):
        kind = "network" if network else "address"
        raise refuse("it", f"an {kind} of ipaddress, or its text", value, TypeError)
    return value


def _range(bound: Rule, value: Any) -> Any:
    made = driver().types.range.Range
    if not isinstance(value, made):
        raise refuse("a range", "a Range of psycopg", value, TypeError)
    if value.isempty:
        return made(empty=True)
    return made(bound.ready(value.lower), bound.ready(value.upper), value.bounds)


def _multirange(inner: Rule, value: Any) -> Any:
    if not isinstance(value, driver().types.multirange.Multirange):
        raise refuse("a multirange", "a Multirange of psycopg", value, TypeError)
    return type(value)([inner.ready(one) for one in value])


def _array(element: Rule, decimal: bool, value: Any) -> list[Any]:
    """Return a sequence, an array of NumPy or a series as nested lists of one shape."""
    found, shape = _nested(element, decimal, value)
    if len(shape) > 1 and 0 in shape:
        raise refuse("an array", "of lists that are not empty", value)
    return found


def _nested(element: Rule, decimal: bool, value: Any) -> tuple[list[Any], tuple[int, ...]]:
    if not is_sequence(value):
        raise refuse("an array", "a list, a tuple or an array of NumPy", value, TypeError)
    dtype = getattr(value, "dtype", None)
    if getattr(dtype, "kind", "") in {"i", "u", "f", "b"} and not decimal:
        value = value.tolist()
    values = list(value)
    if not values or element.fits(values):
        return values, (len(values),)
    inner = [is_sequence(one) for one in values]
    if not any(inner):
        return [element.ready(one) for one in values], (len(values),)
    if not all(inner):
        raise refuse("an array", "of one depth", value)
    parts = [_nested(element, decimal, one) for one in values]
    if len({shape for _found, shape in parts}) != 1:
        raise refuse("an array", "of lists of one length", value)
    return [found for found, _shape in parts], (len(values), *parts[0][1])


def is_sequence(value: Any) -> bool:
    """Report whether it is a list, a tuple or an array."""
    if isinstance(value, (list, tuple)):
        return True
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__len__"):
        return False
    return any(hasattr(value, name) for name in ("tolist", "to_list", "to_pylist"))
