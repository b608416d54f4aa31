"""Counters, gauges and histograms: prometheus-client's, created once, with bounded series.

Hot, see decision 0042: `labels()` uses a cache written in C, and a counter counts ones without a
lock; the rest is the client library.
"""

from __future__ import annotations

import re
import sys
import threading
import warnings
import weakref
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast, get_args

import prometheus_client
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.values import MutexValue

from shared.core import checks, forks

from .._base.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MultiprocessMode = Literal[
    "all", "liveall", "min", "livemin", "max", "livemax",
    "sum", "livesum", "mostrecent", "livemostrecent",
]  # fmt: skip
_MODES: Final = get_args(MultiprocessMode)
OVERFLOW: Final = "__overflow__"
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*\Z")
# https://prometheus.io/docs/practices/naming/#base-units
_BASE_UNITS: Final = frozenset(
    [
        "seconds",
        "bytes",
        "ratio",
        "meters",
        "metres",
        "celsius",
        "kelvin",
        "volts",
        "amperes",
        "joules",
        "grams",
        "hertz",
        "watts",
        "rows",
        "items",
        "records",
        "requests",
        "messages",
        "size",
        "count",
        "info",
        "bucket",
        "total",
        "percentile",
    ]
)
_OTHER_UNITS: Final = {
    **dict.fromkeys(
        [
            "ms",
            "msec",
            "millis",
            "milliseconds",
            "us",
            "usec",
            "microseconds",
            "ns",
            "nanoseconds",
            "minutes",
            "mins",
            "hours",
            "days",
            "duration",
            "latency",
        ],
        "seconds",
    ),
    **dict.fromkeys(
        ["kb", "mb", "gb", "kib", "mib", "gib", "kilobytes", "megabytes", "gigabytes", "bits"],
        "bytes",
    ),
    **dict.fromkeys(["percent", "percentage", "pct"], "ratio"),
}
# https://prometheus.io/docs/instrumenting/writing_exporters/#naming
_SUFFIXES: Final = {
    "counter": frozenset[str](),
    "gauge": frozenset(["total", "count", "sum", "bucket"]),
    "histogram": frozenset(["total"]),
}
_lock = threading.RLock()
_registries: weakref.WeakSet[CollectorRegistry] = weakref.WeakSet([REGISTRY])
_LOCKS: Final = {type(threading.Lock()): threading.Lock, type(threading.RLock()): threading.RLock}


class _Guarded(MetricWrapperBase):
    """A metric with a bounded number of series."""

    max_series: int
    buckets: tuple[float, ...] | None

    def guard(self, max_series: int) -> None:
        self.max_series = max_series
        if self._labelnames:
            # Twice the bound: the same series may be looked up by position and by name.
            cached = lru_cache(maxsize=2 * max_series, typed=True)(self._find)
            self.__dict__["labels"] = cached
            self._forget = cached.cache_clear

    def _find(self, *values: object, **named: object) -> Any:
        make = super().labels
        if named or len(values) != len(self._labelnames):
            if values or set(named) != set(self._labelnames):
                given = [*map(repr, values), *sorted(named)]
                raise ValueError(
                    f"labels of {self._name} must be {', '.join(self._labelnames)},"
                    f" not {', '.join(given) or 'none'}"
                )
            values = tuple(named[name] for name in self._labelnames)
        wanted = tuple(str(value) for value in values)
        with _lock:
            known: Any = self._metrics
            if wanted not in known and len(known) - (self._overflow in known) >= self.max_series:
                wanted = self._overflow
            return make(*wanted)

    @property
    def _overflow(self) -> tuple[str, ...]:
        return (OVERFLOW,) * len(self._labelnames)

    def remove(self, *labelvalues: Any) -> None:
        super().remove(*labelvalues)
        self._forget()

    def remove_by_labels(self, labels: dict[str, str]) -> None:
        super().remove_by_labels(labels)
        self._forget()

    def clear(self) -> None:
        super().clear()
        if self._labelnames:
            self._forget()


M = TypeVar("M", bound=_Guarded)


class _Counted(MutexValue):
    """A value whose steps of one are counted without its lock.

    With the lock, `labels(...).inc()` would cost 1.47 times a cached child of the library; the
    bar is 1.2.
    """

    def __init__(self, of: MutexValue) -> None:
        self.__dict__.update(of.__dict__)
        self._tally = Tally()
        self.one = self._tally.one

    def get(self) -> float:
        with self._lock:
            return float(self._value + self._tally.read())

    def set(self, value: float, timestamp: float | None = None) -> None:  # noqa: ARG002 - the library's signature
        current = self.get()
        with self._lock:
            self._value += value - current


class Counter(_Guarded, prometheus_client.Counter):
    """A counter of prometheus-client, with a bounded number of series."""

    def _metric_init(self) -> None:
        super()._metric_init()
        # Other kinds of values (several processes) and threads without the GIL keep the
        # library's own way.
        if type(self._value) is MutexValue and getattr(sys, "_is_gil_enabled", lambda: True)():
            self._value = _Counted(self._value)
            self.__dict__["inc"] = _make_inc(self._value.one, super().inc)


class Gauge(_Guarded, prometheus_client.Gauge):
    """A gauge of prometheus-client, with a bounded number of series."""


class Histogram(_Guarded, prometheus_client.Histogram):
    """A histogram of prometheus-client, with a bounded number of series."""


def _make_inc(one: Callable[[], int], careful: Callable[..., None]) -> Callable[..., None]:
    def inc(amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        if amount == 1 and exemplar is None:
            one()
        else:
            careful(amount, exemplar)

    return inc


def counter(
    name: str,
    help: str = "",  # noqa: A002 - the name of the contract
    labels: Sequence[str] = (),
    *,
    max_series: int = 1000,
    registry: CollectorRegistry = REGISTRY,
) -> Counter:
    """Return the counter with this name; the first call creates it.

    Args:
        name: With or without `_total`, which is added if missing, as the client library does.
        help: What it counts.
        labels: The label names.
        max_series: The maximum number of label combinations; further ones are counted in one
            series whose labels are all `__overflow__`.
        registry: Where it is registered; the client library's default.

    Returns:
        A `prometheus_client.Counter`: `.labels(...).inc()`.

    Raises:
        ValueError: An invalid name or label, or a metric with this name but another type or
            other labels.
        TypeError: A name or label that is not a string.

    Example:
        >>> counter("doc_orders_total", "Orders placed.", ["shop"]).labels("north").inc()
        >>> counter("doc_orders", labels=["shop"]).labels(shop="north").inc(2)
    """
    return _get(Counter, name, help, labels, max_series, registry)


def gauge(
    name: str,
    help: str = "",  # noqa: A002 - the name of the contract
    labels: Sequence[str] = (),
    *,
    max_series: int = 1000,
    multiprocess_mode: MultiprocessMode = "all",
    registry: CollectorRegistry = REGISTRY,
) -> Gauge:
    """Return the gauge with this name; see `counter`.

    Args:
        name: Without `_total`, `_count`, `_sum` or `_bucket` at its end: a warning follows.
        help: What it shows.
        labels: The label names.
        max_series: The maximum number of label combinations.
        multiprocess_mode: With several workers: the client library's word for how their values
            become one. "livesum" is the sum over the workers that are alive; "all" is one series
            per worker, with the label `pid`.
        registry: Where it is registered.

    Example:
        >>> gauge("doc_queue_depth", "Waiting jobs.").set(7)
    """
    checks.choice("multiprocess_mode", multiprocess_mode, _MODES)
    more = {"multiprocess_mode": multiprocess_mode}
    return _get(Gauge, name, help, labels, max_series, registry, more=more)


def histogram(
    name: str,
    help: str = "",  # noqa: A002 - the name of the contract
    labels: Sequence[str] = (),
    *,
    max_series: int = 1000,
    buckets: Iterable[float] | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> Histogram:
    """Return the histogram with this name; see `counter`.

    Args:
        name: Ends with its base unit, such as `_seconds` or `_bytes`; otherwise a warning follows.
        help: What it observes.
        labels: The label names.
        max_series: The maximum number of label combinations.
        buckets: Upper bounds, ascending; the client library's defaults (seconds) if None.
        registry: Where it is registered.

    Example:
        >>> histogram("doc_wait_seconds", "Waiting time.").observe(0.2)
    """
    bounds = None if buckets is None else tuple(float(bound) for bound in buckets)
    return _get(Histogram, name, help, labels, max_series, registry, bounds)


@forks.after_fork
def _renew() -> None:
    global _lock  # noqa: PLW0603 - the lock of the module
    _lock = threading.RLock()
    for registry in list(_registries):
        _renew_locks(registry)
        for collector in list(registry._collector_to_names):  # noqa: SLF001 - no public way
            _renew_locks(collector)


def _renew_locks(one: Any) -> None:
    """Replace the locks of the client library: another thread of the parent may hold them."""
    for name, value in list(getattr(one, "__dict__", {}).items()):
        make: Any = _LOCKS.get(type(value))
        if make is not None:
            one.__dict__[name] = make()
        elif isinstance(value, MutexValue):
            _renew_locks(value)
        elif isinstance(value, (list, dict)) and name in {"_buckets", "_metrics"}:
            for inner in list(value.values() if isinstance(value, dict) else value):
                _renew_locks(inner)


def _get(
    kind: type[M],
    name: Any,
    help: str,  # noqa: A002 - the name of the contract
    labels: Any,
    max_series: int,
    registry: CollectorRegistry,
    buckets: tuple[float, ...] | None = None,
    more: dict[str, Any] | None = None,
) -> M:
    if not _NAME.match(checks.text("name", name)):
        raise checks.refuse("name", "letters, digits, _ and :, with no digit first", name)
    if isinstance(labels, str):
        raise checks.refuse("labels", "a collection of names", labels, TypeError)
    names = tuple(labels)
    for label in names:
        if not _LABEL.match(checks.text("labels", label)):
            raise checks.refuse("labels", "names of letters, digits and _, not __ first", label)
    checks.whole("max_series", max_series)
    kind_name = kind.__name__.lower()
    base = name.removesuffix("_total") if kind is Counter else name
    with _lock:
        _registries.add(registry)
        known = registry._names_to_collectors.get(base)  # noqa: SLF001 - no public way
        if known is None and kind is Counter:
            known = registry._names_to_collectors.get(f"{base}_total")  # noqa: SLF001 - no public way
        if known is not None:
            return cast("M", _same(known, kind, name, names, buckets))
        _check_units(kind_name, base)
        options = {**(more or {}), **({} if buckets is None else {"buckets": buckets})}
        try:
            made: Any = kind(base, help or base, names, registry=registry, **options)
        except ValueError as error:
            raise ValueError(f"{kind_name} {name!r} with labels {names}: {error}") from error
        made.buckets = buckets
        made.guard(max_series)
        return made  # type: ignore[no-any-return]


def _same(
    known: Any,
    kind: type[_Guarded],
    name: str,
    names: tuple[str, ...],
    buckets: tuple[float, ...] | None,
) -> _Guarded:
    known_labels = tuple(getattr(known, "_labelnames", ()))
    if type(known) is kind and known_labels == names and buckets in {None, known.buckets}:
        return known
    asked = f"{kind.__name__.lower()} {name!r} with labels {names}"
    there = f"{type(known).__name__.lower()} {getattr(known, '_name', name)!r} with labels {known_labels}"
    if buckets is not None:
        asked += f" and buckets {buckets}"
        there += f" and buckets {getattr(known, 'buckets', None)}"
    raise ValueError(f"{asked} clashes with the registered {there}")


def _check_units(kind: str, name: str) -> None:
    last = name.rpartition("_")[2]
    if last in _SUFFIXES[kind]:
        advice = f"_{last} at its end belongs to another type of metric: leave it out"
    elif last in _OTHER_UNITS and kind != "counter":
        advice = f"use the base unit: ..._{_OTHER_UNITS[last]}"
    elif last in _OTHER_UNITS and last not in {"duration", "latency"}:
        advice = f"use the base unit: ..._{_OTHER_UNITS[last]}_total"
    elif kind == "histogram" and last not in _BASE_UNITS:
        advice = "a histogram's name ends with its base unit, such as _seconds or _bytes"
    else:
        return
    warnings.warn(f"metric {name!r}: {advice}", stacklevel=4)
