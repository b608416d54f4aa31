"""The form in which a caller writes times, and the way back from integer nanoseconds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from shared.core.checks import choice, refuse

if TYPE_CHECKING:
    from .types import Int64s

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NAT = np.iinfo(np.int64).min
UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_FIRST, _LAST = -(2**63) + 1, 2**63 - 1
_YEARS = "must be within the years 1677 to 2262, which nanoseconds can hold"

Kind = Literal["datetime", "datetime64", "timestamp", "number"]


@dataclass(frozen=True, slots=True)
class TimeForm:
    """The form of the times that came in: results go out in the same form.

    Naive times are counted as if their wall clock were UTC; `tz` is None for them.
    """

    kind: Kind
    tz: dt.tzinfo | None = None
    unit: str = "s"

    @property
    def aware(self) -> bool:
        """Whether the times are instants; plain numbers (seconds since the epoch) are."""
        return self.tz is not None or self.kind == "number"

    def out(self, ns: int) -> Any:
        """Return one time in the caller's form."""
        if self.kind == "number":
            whole, rest = divmod(ns, UNITS[self.unit])
            return ns / UNITS[self.unit] if rest else whole
        if self.kind == "datetime64":
            return np.datetime64(ns, "ns")
        if self.kind == "timestamp":
            import pandas as pd

            stamp = pd.Timestamp(ns, tz="UTC")
            return stamp.tz_convert(self.tz) if self.tz else stamp.tz_localize(None)
        moment = EPOCH + dt.timedelta(microseconds=ns // 1000)
        return moment.astimezone(self.tz) if self.tz else moment.replace(tzinfo=None)

    def array(self, ns: Int64s) -> np.ndarray[Any, Any]:
        """Return many times: datetime64[ns] (UTC), or numbers in the unit that came in."""
        if self.kind != "number":
            return ns.view("datetime64[ns]")
        scale = UNITS[self.unit]
        return ns // scale if not (ns % scale).any() else ns / scale


def zone(tz: str | dt.tzinfo | None) -> dt.tzinfo | None:
    """Return the time zone of a name.

    Raises:
        TypeError: It is neither a name nor a tzinfo.
        ValueError: No zone has that name.
    """
    if tz is None or isinstance(tz, dt.tzinfo):
        return tz
    if not isinstance(tz, str):
        raise refuse("tz", "a zone name or tzinfo", tz, TypeError)
    if tz.upper() == "UTC":
        return dt.UTC
    try:
        if tz[:1] in {"+", "-"}:
            return dt.datetime.fromisoformat(f"2000-01-01T00:00{tz}").tzinfo
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise refuse("tz", "the name of a time zone", tz) from error


def is_arrow(value: Any) -> bool:
    """Return whether it is something of pyarrow, which is not imported for that."""
    return type(value).__module__.partition(".")[0] == "pyarrow"


def read_time(value: Any, name: str, unit: str = "s") -> tuple[int, TimeForm]:
    """Read one time as nanoseconds since the epoch, and its form."""
    value = value.as_py() if is_arrow(value) and hasattr(value, "as_py") else value
    if isinstance(value, str):
        value = _parse(value, name)
    if isinstance(value, np.datetime64):
        ns = datetime64_ns(np.array([value]), name)[0]
        if ns == NAT:
            raise refuse(name, "a time", value)
        return int(ns), TimeForm("datetime64")
    if isinstance(value, dt.datetime):
        kind: Kind = "datetime" if not hasattr(value, "nanosecond") else "timestamp"
        if value != value:  # noqa: PLR0124 - NaT, without importing pandas
            raise refuse(name, "a time", value)
        return datetime_ns(value), TimeForm(kind, value.tzinfo)
    if isinstance(value, dt.date):
        return datetime_ns(dt.datetime(value.year, value.month, value.day)), TimeForm("datetime")  # noqa: DTZ001
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        whole = value // 1
        if not np.isfinite(float(value)):
            raise refuse(name, "a finite time", value)
        fraction = float(value - whole)
        scale = UNITS[unit]
        return int(whole) * scale + round(fraction * scale), TimeForm("number", dt.UTC, unit)
    raise refuse(name, "a datetime, datetime64, ISO 8601 text or number", value, TypeError)


def datetime_ns(value: dt.datetime) -> int:
    """Return nanoseconds since the epoch; a naive time is counted as if it were UTC."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=dt.UTC)
    gone = value - EPOCH
    micros = (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds
    return micros * 1000 + getattr(value, "nanosecond", 0)


def datetime64_ns(values: np.ndarray[Any, Any], name: str) -> Int64s:
    """Convert datetime64 of any unit to int64 nanoseconds; NaT stays the smallest integer."""
    if values.dtype == np.dtype("datetime64[ns]"):
        return values.view(np.int64)
    unit, count = np.datetime_data(values.dtype)
    if unit in {"Y", "M", "generic"}:
        values, unit, count = values.astype("datetime64[D]"), "D", 1
    scale = {"W": 7 * 86_400, "D": 86_400, "h": 3600, "m": 60, "s": 1}.get(unit, 0) * 10**9
    scale = (scale or {"ms": 10**6, "us": 10**3}.get(unit, 0)) * count
    if not scale:  # finer than a nanosecond
        return values.astype("datetime64[ns]").view(np.int64)
    return scaled(values.view(np.int64), scale, name)


def scaled(raw: Int64s, scale: int, name: str) -> Int64s:
    """Multiply integers by a scale, refusing what does not fit int64 nanoseconds."""
    gone = raw == NAT
    fit = (raw >= -(-_FIRST // scale)) & (raw <= _LAST // scale)
    if not np.all(fit | gone):
        where = int(np.flatnonzero(~(fit | gone))[0])
        raise ValueError(f"{name}[{where}] {_YEARS}")
    return np.where(gone, NAT, raw * scale) if gone.any() else raw * scale


def _parse(text: str, name: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise refuse(name, "an ISO 8601 time", text) from error


def read_times(values: Any, name: str, unit: str = "s") -> tuple[Int64s, TimeForm]:
    """Read a column of times as int64 nanoseconds (NaT is the smallest integer), and its form.

    Raises:
        TypeError: Naive and aware times together, or something that is not a time.
        ValueError: A time outside the years that nanoseconds can hold.
    """
    choice("unit", unit, UNITS)
    if is_arrow(values):
        tz = zone(getattr(values.type, "tz", None))
        values = np.asarray(values)
        if tz is not None:
            return datetime64_ns(values, name), TimeForm("datetime", tz)
    if not isinstance(values, np.ndarray) and hasattr(values, "dtype"):
        values, form = _frame_column(values)
        if form is not None:
            return datetime64_ns(values, name), form
    if not isinstance(values, np.ndarray):
        values = list(values)
        if not values or not {type(v) for v in values} <= {int, float}:
            return _read_objects(values, name, unit)
        values = np.array(values)
    if values.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {values.ndim}")
    if values.dtype.kind == "M":
        return datetime64_ns(values, name), TimeForm("datetime64")
    form = TimeForm("number", dt.UTC, unit)
    if values.dtype.kind == "i" or (values.dtype.kind == "u" and values.dtype.itemsize < 8):
        raw = values.astype(np.int64, copy=False)
        return (raw if unit == "ns" else scaled(raw, UNITS[unit], name)), form
    if values.dtype.kind == "f":
        return _read_floats(values.astype(np.float64, copy=False), UNITS[unit], name), form
    return _read_objects(values.tolist(), name, unit)


def _frame_column(column: Any) -> tuple[Any, TimeForm | None]:
    """Read a pandas or polars column as numpy, with its form if it holds date-times."""
    if type(column).__module__.startswith("polars"):
        if "Datetime" not in str(column.dtype) and str(column.dtype) != "Date":
            return (column.to_numpy() if column.dtype.is_numeric() else column.to_list()), None
        tz = zone(getattr(column.dtype, "time_zone", None))
        if str(column.dtype) != "Date":
            column = column.dt.replace_time_zone(None) if tz is None else column
            values = column.dt.convert_time_zone("UTC") if tz else column
            values = (values.dt.replace_time_zone(None) if tz else values).to_numpy()
        else:
            values = column.to_numpy()
        return values, TimeForm("timestamp" if tz else "datetime64", tz)
    if getattr(column.dtype, "tz", None) is not None:
        index = column.array if hasattr(column, "array") else column
        utc = index.tz_convert("UTC").tz_localize(None)
        return utc.to_numpy(), TimeForm("timestamp", column.dtype.tz)
    values = column.to_numpy()
    if values.dtype.kind == "M":
        return values, TimeForm("timestamp")
    return values, None


def _read_floats(values: np.ndarray[Any, np.dtype[np.float64]], scale: int, name: str) -> Int64s:
    gone = np.isnan(values)
    if np.any(np.abs(values[~gone]) > _LAST // scale):
        raise ValueError(f"{name} {_YEARS}")
    whole = np.floor(np.where(gone, 0.0, values))
    ns = whole.astype(np.int64) * scale
    ns += np.rint((np.where(gone, 0.0, values) - whole) * scale).astype(np.int64)
    return np.where(gone, NAT, ns)


def _read_objects(values: list[Any], name: str, unit: str) -> tuple[Int64s, TimeForm]:
    """Read Python datetimes, dates, texts, numbers or None, one by one."""
    if {type(v) for v in values} == {dt.datetime}:
        zones = {v.tzinfo for v in values}
        if zones == {None}:
            micros = np.array(values, dtype="datetime64[us]")
            return datetime64_ns(micros, name), TimeForm("datetime")
        if None not in zones:
            raw = np.fromiter(map(_micros, values), np.int64, len(values))
            return scaled(raw, 1000, name), TimeForm("datetime", _only(zones))
    out: list[int] = []
    forms: dict[tuple[Kind, bool], TimeForm] = {}
    zones_seen: set[dt.tzinfo | None] = set()
    for position, value in enumerate(values):
        if value is None or value != value:  # noqa: PLR0124 - NaN and NaT
            out.append(NAT)
            continue
        ns, form = read_time(value, f"{name}[{position}]", unit)
        if not _FIRST <= ns <= _LAST:
            raise ValueError(f"{name}[{position}] {_YEARS}")
        out.append(ns)
        zones_seen.add(form.tz)
        forms[form.kind, form.tz is None] = form
    if len({naive for _, naive in forms}) > 1:
        raise TypeError(f"{name} must be all naive or all aware, not mixed")
    if len({kind == "number" for kind, _ in forms}) > 1:
        raise TypeError(f"{name} must be all numbers or all date-times, not mixed")
    form = next(iter(forms.values()), TimeForm("datetime"))
    if zones_seen:
        form = TimeForm(form.kind, _only(zones_seen), unit)
    return np.array(out, dtype=np.int64), form


def _micros(value: dt.datetime) -> int:
    gone = value - EPOCH
    return (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds


def _only(zones: set[dt.tzinfo | None]) -> dt.tzinfo | None:
    """Return the one zone of all times; UTC if there are several."""
    return next(iter(zones)) if len(zones) == 1 else dt.UTC
