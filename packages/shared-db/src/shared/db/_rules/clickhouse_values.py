"""Values for ClickHouse, by the type of their column: what is ready, converted, refused.

The driver checks little: 300 in an Int8 is an error without a row, 123.45 in a Decimal(4, 2)
becomes 123.40, 'false' in a Bool becomes true, an unknown word of an Enum another.
"""

from __future__ import annotations

import datetime as dt
import decimal
import ipaddress
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from shared.core.checks import refuse

from .copy import BadRow, Misfit
from .copy_values import (
    MISFITS,
    Rule,
    are_aware,
    are_reals,
    integers,
    is_sequence,
    make_rule,
    to_bool,
    to_bytes,
    to_date,
    to_decimal,
    to_double,
    to_label,
    to_real,
    to_timestamp,
    to_uuid,
)

# The error codes of the server that speak of a value, not of the table.
ROW_CODES = frozenset(
    {6, 26, 27, 32, 33, 38, 41, 43, 53, 69, 70, 72, 117, 131, 190, 349, 407, 469, 691}
)
_ITEM = re.compile(r"'((?:[^'\\]|\\.)*)'\s*=\s*(-?\d+)")
_FIRST, _LAST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2106, 2, 7, tzinfo=dt.UTC)
_EARLY, _LATE = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2299, 12, 31, tzinfo=dt.UTC)


@dataclass(frozen=True)
class _Required(Rule):
    """A column that holds no NULL."""

    def ready(self, value: Any) -> Any:
        found = super().ready(value)
        if found is None:
            raise refuse("a value", "present: the column is not Nullable", value)
        return found


class _Free(Rule):
    """A type that the driver and the server judge."""

    def fits(self, values: Sequence[Any]) -> bool:  # noqa: ARG002 - any
        return True

    def ready(self, value: Any) -> Any:
        return value


_FREE = _Free(frozenset(), lambda value: value)


def rule_of_type(name: str) -> Rule:
    """Return what a column of a type takes, given the type's name."""
    base, _, inner = name.partition("(")
    inner = inner[:-1]
    if base == "LowCardinality":
        return rule_of_type(inner)
    if base == "Nullable":
        rule = rule_of_type(inner)
        if rule is _FREE:
            return rule
        kind = _NullableMoments if isinstance(rule, _Moments) else Rule
        return kind(rule.plain | {type(None)}, rule.convert, rule.check)
    found = _KNOWN.get(base) or _made(base, inner)
    if found is None:
        return _FREE
    if isinstance(found, _Moments):
        return found
    return _Required(found.plain - {type(None)}, found.convert, found.check)


def _made(base: str, inner: str) -> Rule | None:
    if found := re.fullmatch(r"(U?)Int(\d+)", base):
        bits = int(found[2])
        return (
            integers(0, 2**bits - 1)
            if found[1]
            else integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )
    arguments = split_types(inner)
    if base in {"Enum8", "Enum16"}:
        labels = {text.replace("\\'", "'"): int(number) for text, number in _ITEM.findall(inner)}
        return make_rule((), partial(_enum, labels))
    if base == "Decimal":
        precision, scale = int(arguments[0]), int(arguments[1])
        return make_rule((), partial(_scaled, precision, scale))
    if base == "FixedString":
        return make_rule((), partial(_fixed, int(inner)))
    if base == "DateTime":
        return _moments(0, _FIRST, _LAST)
    if base == "DateTime64":
        return _moments(int(arguments[0]), _EARLY, _LATE)
    if base == "Array":
        return make_rule((), partial(_array, rule_of_type(inner)))
    if base == "Map":
        return make_rule((), partial(_map, *map(rule_of_type, arguments)))
    return None


def split_types(inner: str) -> list[str]:
    """Return the arguments of a type, which may have arguments themselves."""
    parts, depth, quoted = [""], 0, False
    for letter in inner:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _enum(labels: dict[str, int], value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value in labels.values():
        return next(label for label, number in labels.items() if number == value)
    return to_label(frozenset(labels), value)


def _scaled(precision: int, scale: int, value: Any) -> Decimal:
    number = to_decimal(value)
    if not number.is_finite():
        raise refuse("a Decimal", "finite", value)
    with decimal.localcontext(decimal.Context(prec=200)):
        if number.adjusted() <= precision:
            number = number.quantize(Decimal(1).scaleb(-scale), decimal.ROUND_HALF_UP)
        if abs(number) >= Decimal(1).scaleb(precision - scale):
            raise OverflowError(f"{value} is out of range for Decimal({precision}, {scale})")
    return number


def _text(value: Any) -> str | bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return to_bytes(value)
    if not isinstance(value, str):
        raise refuse("a String", "a string or bytes", value, TypeError)
    text = str.__str__(value)
    text.encode()
    return text


def _are_encodable(values: Sequence[Any]) -> bool:
    try:
        "".join(value for value in values if isinstance(value, str)).encode()
    except UnicodeEncodeError:
        return False
    return True


def _fixed(size: int, value: Any) -> str | bytes:
    found = _text(value)
    if len(found.encode() if isinstance(found, str) else found) > size:
        raise ValueError(f"it is longer than {size} bytes")
    return found if isinstance(found, str) else found.ljust(size, b"\0")


def _ranged(first: Any, last: Any, convert: Any, value: Any) -> Any:
    found = convert(value)
    if not first <= found <= last:
        raise OverflowError(f"{value} is out of range ({first} to {last})")
    return found


def _in_range(first: Any, last: Any, values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return not known or (
        (not isinstance(known[0], dt.datetime) or are_aware(known))
        and first <= min(known)
        and max(known) <= last
    )


def _days(first: dt.date, last: dt.date) -> Rule:
    convert = partial(_ranged, first, last, to_date)
    return make_rule((dt.date,), convert, partial(_in_range, first, last))


class _Moments(_Required):
    """Times: datetimes, or whole numbers of the column's unit, never both in one column."""

    def fits(self, values: Sequence[Any]) -> bool:
        return len(set(map(type, values)) - {type(None)}) <= 1 and super().fits(values)


class _NullableMoments(Rule):
    """The same, or NULL."""

    def fits(self, values: Sequence[Any]) -> bool:
        return len(set(map(type, values)) - {type(None)}) <= 1 and super().fits(values)


def _moments(digits: int, first: dt.datetime, last: dt.datetime) -> Rule:
    """Return the rule for times with so many digits after the second."""
    unit = 10**digits
    low, high = (int((end - _FIRST).total_seconds()) * unit for end in (first, last))
    micros = dt.timedelta(microseconds=1)

    def convert(value: Any) -> int:
        try:
            number = operator.index(value)
        except TypeError:
            if digits == 9 and getattr(value, "tzinfo", None) and hasattr(value, "nanosecond"):
                number = value.value
            else:
                number = (to_timestamp(value, aware=True) - _FIRST) // micros * unit // 1_000_000
        if not low <= number <= high:
            raise OverflowError(f"{value} is out of range ({first} to {last})")
        return int(number)

    def check(values: Sequence[Any]) -> bool:
        known = [value for value in values if value is not None]
        if known and isinstance(known[0], int):
            return bool(low <= min(known) and max(known) <= high)
        return _in_range(first, last, known)

    return _Moments(frozenset({dt.datetime, int}), convert, check)


def _address(version: int, value: Any) -> Any:
    found = ipaddress.ip_address(value) if isinstance(value, str) else value
    if getattr(found, "version", None) != version or hasattr(found, "network"):
        raise refuse("it", f"an IPv{version} address", value, TypeError)
    return found


def _array(element: Rule, value: Any) -> list[Any]:
    if not is_sequence(value):
        raise refuse("an Array", "a list, a tuple or an array of NumPy", value, TypeError)
    values = list(value)
    return values if element.fits(values) else list(map(element.ready, values))


def _map(keys: Rule, values: Rule, value: Any) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise refuse("a Map", "a mapping", value, TypeError)
    return {keys.ready(key): values.ready(one) for key, one in value.items()}


_KNOWN: dict[str, Rule] = {
    "Bool": make_rule((bool,), to_bool),
    "Float32": make_rule((float,), to_real, are_reals),
    "Float64": make_rule((float,), to_double),
    "String": make_rule((str, bytes), _text, _are_encodable),
    "UUID": make_rule((), to_uuid),
    "IPv4": make_rule((), partial(_address, 4)),
    "IPv6": make_rule((), partial(_address, 6)),
    "Date": _days(_FIRST.date(), dt.date(2149, 6, 6)),
    "Date32": _days(_EARLY.date(), _LATE.date()),
}


@dataclass(frozen=True)
class Part:
    """Rows of one batch with the same columns.

    Attributes:
        token: Tells the server whether it has seen them.
        names: The columns' names.
        columns: Their values.
        places: The rows' positions in the batch.
        checked: Whether every value fits its column.
    """

    token: str
    names: list[str]
    columns: list[Sequence[Any]]
    places: Sequence[int]
    checked: bool = False

    def halves(self) -> list[Part]:
        """Return the part as two."""
        middle = len(self.places) // 2
        return [
            replace(
                self,
                token=f"{self.token}-{name}",
                columns=[column[cut] for column in self.columns],
                places=self.places[cut],
            )
            for name, cut in (("l", slice(middle)), ("r", slice(middle, None)))
        ]

    def fitted(
        self, rules: Mapping[str, Rule], table: str
    ) -> tuple[Part, list[tuple[int, Misfit]]]:
        """Return the part with values that fit, and the positions and errors of other rows."""
        bad: dict[int, Misfit] = {}
        columns: list[Sequence[Any]] = []
        for name, values in zip(self.names, self.columns, strict=True):
            rule = rules.get(name)
            if rule is None:
                for at, value in enumerate(values):
                    bad.setdefault(
                        at, Misfit(name, value, ValueError(f"{table} has no such column"))
                    )
                columns.append(values)
                continue
            ready, misfits = fit(name, rule, values)
            for at, error in misfits.items():
                bad.setdefault(at, error)
            columns.append(ready)
        if bad:
            kept = [at for at in range(len(self.places)) if at not in bad]
            columns = [[column[at] for at in kept] for column in columns]
            found = [(self.places[at], error) for at, error in sorted(bad.items())]
            return replace(
                self, columns=columns, places=[self.places[at] for at in kept], checked=True
            ), found
        return replace(self, columns=columns, checked=True), []


def fit(name: str, rule: Rule, values: Sequence[Any]) -> tuple[Sequence[Any], dict[int, Misfit]]:
    """Return a column made ready, and the errors of the values that do not fit."""
    try:
        return (values if rule.fits(values) else list(map(rule.ready, values))), {}
    except MISFITS:
        pass
    ready: list[Any] = []
    bad: dict[int, Misfit] = {}
    for at, value in enumerate(values):
        try:
            ready.append(rule.ready(value))
        except MISFITS as error:
            bad[at] = Misfit(name, value, error)
            ready.append(None)
    return ready, bad


def fit_rows(rows: Sequence[Any], names: Sequence[str], rules: Mapping[str, Rule]) -> list[Any]:
    """Return rows whose values fit.

    Raises:
        BadRow: One does not.
    """
    if not rows:
        return []
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise BadRow(number, f"it has {len(row)} values for {len(names)} columns")
    columns: list[Sequence[Any]] = []
    bad: dict[int, Misfit] = {}
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        ready, misfits = fit(name, rules.get(name, _FREE), values)
        columns.append(ready)
        bad = misfits | bad
    if bad:
        at, misfit = min(bad.items())
        raise BadRow(at + 1, str(misfit), misfit.column, misfit.value) from misfit
    return list(map(list, zip(*columns, strict=True)))
