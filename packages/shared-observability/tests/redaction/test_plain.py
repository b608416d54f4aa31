"""What a field shows of values that JSON does not know: numbers as numbers, records as records."""

import collections
import dataclasses
import datetime as dt
import enum
import fractions
import ipaddress
import uuid
from decimal import Decimal
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pytest

from shared.observability import Sanitizer, get_logger


class Size(enum.IntEnum):
    SMALL = 1


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Account:
    name: str
    password: str
    hidden: str = dataclasses.field(default="x", repr=False)
    opened: dt.date = dt.date(2026, 1, 2)


@dataclasses.dataclass
class Discreet:
    pin: int

    def __repr__(self):
        return "Discreet(...)"


class Model(pydantic.BaseModel):
    user: str
    key: pydantic.SecretStr
    inner: Account


class Login(NamedTuple):
    user: str
    password: str


MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
FRAME = {"price": [1.5, 2.0], "token": ["a", "b"]}

VALUES = {
    "array": (np.array([1.5, 2.0]), [1.5, 2.0]),
    "whole": (np.array([[1, 2], [3, 4]], dtype=np.int8), [[1, 2], [3, 4]]),
    "empty": (np.array([]), []),
    "gap": (np.array([1.0, np.nan]), [1.0, None]),
    "bools": (np.array([True, False]), [True, False]),
    "texts": (np.array(["a", "b"]), ["a", "b"]),
    "objects": (np.array([Decimal("1.10"), None], dtype=object), ["1.10", None]),
    "moments": (np.array(["2026-01-02", "NaT"], dtype="M8[ns]"), ["2026-01-02T00:00:00.000000000", None]),
    "zero dimensions": (np.array(7), 7),
    "huge": (np.array([2**64 - 1], dtype=np.uint64), [str(2**64 - 1)]),
    "int64": (np.int64(7), 7),
    "uint8": (np.uint8(7), 7),
    "float32": (np.float32(1.5), 1.5),
    "float64": (np.float64(1.5), 1.5),
    "float16": (np.float16(1.5), 1.5),
    "longdouble": (np.longdouble(1.5), 1.5),
    "bool_": (np.bool_(1), True),
    "str_": (np.str_("a"), "a"),
    "datetime64": (np.datetime64("2026-01-02T03:04:05"), "2026-01-02T03:04:05"),
    "nat64": (np.datetime64("NaT", "s"), None),
    "timestamp": (pd.Timestamp(MOMENT), "2026-01-02T03:04:05+00:00"),
    "NaT": (pd.NaT, None),
    "NA": (pd.NA, None),
    "series": (pd.Series([1, 2], index=[5, 6]), [1, 2]),
    "index": (pd.Index(["a", "b"]), ["a", "b"]),
    "moments of pandas": (pd.Series([pd.Timestamp("2026-01-02"), pd.NaT]), ["2026-01-02T00:00:00", None]),
    "frame": (pd.DataFrame(FRAME), {"price": [1.5, 2.0], "token": "[REDACTED]"}),
    "polars": (pl.Series([1, None]), [1, None]),
    "polars frame": (pl.DataFrame(FRAME), {"price": [1.5, 2.0], "token": "[REDACTED]"}),
    "arrow": (pa.array([1, None]), [1, None]),
    "arrow table": (pa.table(FRAME), {"price": [1.5, 2.0], "token": "[REDACTED]"}),
    "decimal": (Decimal("1.10"), "1.10"),
    "fraction": (fractions.Fraction(1, 3), "1/3"),
    "complex": (1 + 2j, "(1+2j)"),
    "uuid": (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    "datetime": (MOMENT, "2026-01-02T03:04:05+00:00"),
    "date": (dt.date(2026, 1, 2), "2026-01-02"),
    "time": (dt.time(3, 4), "03:04:00"),
    "timedelta": (dt.timedelta(seconds=5), "0:00:05"),
    "path": (PurePosixPath("/tmp/x"), "/tmp/x"),
    "address": (ipaddress.ip_address("10.0.0.1"), "10.0.0.1"),
    "enum": (Colour.RED, "red"),
    "int enum": (Size.SMALL, 1),
    "dataclass": (Account("ada", "p"), {"name": "ada", "password": "[REDACTED]", "opened": "2026-01-02"}),
    "own repr": (Discreet(1234), "Discreet(...)"),
    "named tuple": (Login("ada", "p"), {"user": "ada", "password": "[REDACTED]"}),
    "model": (
        Model(user="ada", key=pydantic.SecretStr("s"), inner=Account("b", "p")),
        {"user": "ada", "key": "[REDACTED]", "inner": {"name": "b", "password": "[REDACTED]", "opened": "2026-01-02"}},
    ),
    "deque": (collections.deque([1, 2]), [1, 2]),
    "range": (range(3), [0, 1, 2]),
    "keys": ({"a": 1}.keys(), ["a"]),
    "values": ({"a": 1}.values(), [1]),
    "user dict": (collections.UserDict(secret="x"), {"secret": "[REDACTED]"}),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_a_field_shows_its_value(lines, name):
    value, shown = VALUES[name]
    get_logger("x").info("m", value=value, nested={"inside": [value]})
    line = lines.last()
    assert line["value"] == shown
    assert type(line["value"]) is type(shown)
    assert line["nested"]["inside"] == [shown]


@pytest.mark.parametrize(
    "many",
    [np.zeros(10**6), pd.Series(np.zeros(10**6)), pl.Series(np.zeros(10**6)), range(10**6)],
    ids=["numpy", "pandas", "polars", "range"],
)
def test_a_long_array_is_cut_with_a_marker(lines, many):
    get_logger("x").info("m", value=many)
    shown = lines.last()["value"]
    assert len(shown) <= 1001
    assert shown[-1] in {"[cut 999001 entries]", "[cut 999000 entries]"}


def test_a_large_matrix_or_frame_is_bounded(lines):
    get_logger("x").info("m", a=np.zeros((3000, 500)), b=pd.DataFrame(np.zeros((5000, 40))))
    assert len(lines.getvalue()) < 200_000
    assert lines.last()["a"][-1].startswith("[cut ")


def test_clean_keeps_a_named_tuple_and_hides_its_secret():
    clean = Sanitizer().clean(Login("ada", "p"))
    assert clean == Login("ada", "[REDACTED]")
