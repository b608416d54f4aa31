"""Every rule: what passes, what does not, and why; no value makes one raise."""

import datetime as dt
import enum
import math
from collections import deque
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import shared.validation as v

NAN = float("nan")


class Color(enum.Enum):
    RED = "red"


class Hostile:
    """Raises wherever it can."""

    def __eq__(self, other):
        raise RuntimeError("eq")

    __hash__ = None  # type: ignore[assignment]

    def __len__(self):
        raise RuntimeError("len")

    def __bool__(self):
        raise RuntimeError("bool")

    def __repr__(self):
        raise RuntimeError("repr")

    def __lt__(self, other):
        raise RuntimeError("lt")

    __le__ = __gt__ = __ge__ = __lt__


NUMBERS = [v.min_value(0), v.max_value(10), v.value_between(0, 10), v.is_positive, v.is_negative,
           v.is_non_negative, v.multiple_of(2), v.is_finite, v.is_integer, v.is_number]  # fmt: skip
STRINGS = [v.is_slug, v.is_json, v.is_uuid, v.min_length(0), v.max_length(5), v.length_between(0, 5),
           v.starts_with("a"), v.ends_with("a"), v.matches_pattern(".*"), v.is_string, v.is_email,
           v.is_url, v.is_ip, v.is_hostname, v.is_phone, v.is_iso_datetime]  # fmt: skip
LISTS = [
    v.min_items(0),
    v.max_items(5),
    v.unique_items,
    v.each(int),
    v.is_list,
    v.keys(str),
    v.is_dict,
]
OTHERS = [v.one_of("a", 1), v.contains("a"), v.is_bool, v.is_instance_of(int, str),
          v.optional(int), v.not_(v.is_string), v.none_of(int), v.any_of(int, str),
          v.all_of(int), v.when(v.is_string, v.min_length(2)), v.secret(int)]  # fmt: skip
ODD = [None, True, 5, -1.5, NAN, math.inf, Decimal("NaN"), Decimal("sNaN"), 10**400, 1j, "", "text",
       b"bytes", [], [[]], {}, {"a": 1}, {1, 2}, (), object(), object, Hostile(), Color.RED,
       np.float32("nan"), np.int64(3), np.array([1, 2]), dt.date(2026, 1, 1), lambda: 1,
       "\ud800", "\x00", [Hostile()], {"a": Hostile()}]  # fmt: skip


@pytest.mark.parametrize("rule", NUMBERS + STRINGS + LISTS + OTHERS)
def test_no_value_makes_a_rule_raise(rule):
    for value in ODD:
        answer = rule(value)
        assert type(answer) is bool
        result = rule.validate(value)
        assert result.is_valid is answer
        for error in result.errors:
            assert str(error)
            assert error.code in {
                "type", "too_short", "too_long", "too_small", "too_large", "pattern", "choice",
                "not_unique", "invalid",
            }  # fmt: skip


@pytest.mark.parametrize("rule", NUMBERS)
def test_what_is_no_number(rule):
    for value in (True, False, "5", None, [5], 1j, b"5", np.True_, np.array([5])):
        assert not rule(value)
        assert rule.validate(value).errors[0].code == "type"


@pytest.mark.parametrize("rule", NUMBERS[:7])
@pytest.mark.parametrize("nan", [NAN, Decimal("NaN"), Decimal("sNaN"), np.float32("nan")])
def test_nan_is_in_no_range(rule, nan):
    assert not rule(nan)


@pytest.mark.parametrize("rule", STRINGS)
def test_what_is_no_text(rule):
    for value in (None, 5, ["a"], {"a": 1}):
        assert not rule(value)
        assert rule.validate(value).errors[0].code == "type"


TABLE = [
        (v.is_integer, [0, 10**400, np.int64(3)], [1.0, Decimal(1), "1"]),
        (v.is_number, [1, 1.5, Decimal(1), Fraction(1, 3), np.float32(1)], []),
        (v.is_finite, [1, 1.5, Decimal(1), Fraction(1), np.float32(1)],
         [math.inf, NAN, Decimal("Infinity"), np.float32("inf")]),
        (v.min_value(0), [0, 0.0, Decimal(0), Fraction(1, 3), math.inf, 10**400], [-1, -1e-300]),
        (v.min_value(Decimal("0.1")), [Decimal("0.1"), 1, Fraction(1, 3)], [0, 0.0, Fraction(0), NAN]),
        (v.min_value(Fraction(1, 3)), [0.34, Decimal("0.34")], [0.33, Decimal("0.33"), NAN]),
        (v.min_value(dt.date(2026, 1, 1)), [dt.date(2026, 1, 1)], [dt.date(2025, 1, 1), 5]),
        (v.max_value(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
         [dt.datetime(2025, 1, 1, tzinfo=dt.UTC)], [dt.datetime(2025, 1, 1), dt.date(2025, 1, 1)]),
        (v.value_between(1, 2), [1, 2, 1.5], [0.99, 2.01, 10**400, -math.inf]),
        (v.multiple_of(0.1), [0.3, 1, Decimal("0.7"), 1e15], [0.35, math.inf, Decimal("1e999999")]),
        (v.multiple_of(3), [0, 9, -9, 9.0, np.int64(9)], [1, 9.5]),
        (v.is_positive, [1, 1e-300], [0, -1, -0.0]),
        (v.is_negative, [-1], [0, 1]),
        (v.is_non_negative, [0, -0.0, 1], [-1]),
        (v.min_length(2), ["ab", "éé", b"ab"], ["a", "", b"a"]),
        (v.max_length(2), ["", "ab", "🙂🙂"], ["abc"]),
        (v.length_between(1, 2), ["a", "ab"], ["", "abc"]),
        (v.starts_with("ab", "x"), ["abc", "x"], ["b", ""]),
        (v.ends_with(".py"), ["a.py"], ["a.pyc"]),
        (v.one_of("a", 1, None), ["a", 1, 1.0, None], [True, "b", [], "A"]),
        (v.one_of(["a", "b"]), ["a", "b"], [["a", "b"], "c"]),
        (v.one_of(Color), [Color.RED], ["red"]),
        (v.one_of([1], [2]), [[1], [2]], [1, [True]]),
        (v.is_slug, ["a", "a-b-1"], ["", "-a", "a-", "a--b", "A", "a_b", "a b", "a\n", "é"]),
        (v.is_uuid,
         ["12345678-1234-5678-1234-567812345678", "ABCDEF12-1234-5678-1234-567812345678",
          UUID(int=5)],
         ["12345678123456781234567812345678", "{12345678-1234-5678-1234-567812345678}",
          "urn:uuid:12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-56781234567g",
          "12345678-1234-5678-1234-567812345678\n", "１2345678-1234-5678-1234-567812345678"]),
        (v.is_json, ["1", '"a"', "[]", '{"a": [1, null]}', " true ", "9" * 10_000],
         ["", "{a: 1}", "'a'", "[1,]", "NaN", "Infinity", "-Infinity", "1 2", "\ufeff1", "01"]),
        (v.is_iso_datetime,
         ["2026-11-28T19:00:00Z", "2026-11-28T19:00:00.123456789+05:30", "2026-11-28T19:00",
          "2026-11-28 19:00:00", "2024-02-29T00:00:00Z", "2026-11-28t19:00:00z"],
         ["2026-11-28", "2026-02-29T00:00:00Z", "2026-11-28T24:00:00Z", "2026-13-01T00:00:00Z",
          "2026-11-28T23:59:60Z", "20261128T190000Z", "2026-W48-6T19:00:00", "2026-11-28T19:00:00+25:00",
          "2026-11-28T19:00:00Z\n", "２026-11-28T19:00:00Z", "0000-01-01T00:00:00Z"]),
        (v.is_iso_datetime(offset=True), ["2026-11-28T19:00:00Z"], ["2026-11-28T19:00:00"]),
        (v.is_iso_datetime(leap_second=True), ["1998-12-31T23:59:60Z", "1998-12-31T15:59:60.5-08:00"],
         ["1998-12-31T22:59:60Z", "1998-12-31T23:59:61Z"]),
        (v.is_phone, ["+442083661177", "+1 650-253-0000"], ["020 8366 1177", "+999", "+44", "phone"]),
        (v.is_phone(region="GB"), ["020 8366 1177"], ["1"]),
        (v.is_list, [[], [1], (1,)], ["a", {1}, {}, deque()]),
        (v.is_dict, [{}, MappingProxyType({})], [[], "a"]),
        (v.is_bool, [True, False], [0, 1, "true"]),
        (v.min_items(1), [[1], (1,), {1}, {"a": 1}, deque([1])], [[], "a", b"a", 5]),
        (v.max_items(1), [[], [1]], [[1, 2], "a"]),
        (v.contains(1), [[1], [2, 1.0], {1}, {1: 2}], [[True], [], "1", 5]),
        (v.contains("b"), ["abc", ["b"], {"b": 1}], ["ac", ["ab"], b"abc"]),
        (v.contains({"a": 1}), [[{"a": 1}]], [[{"a": True}], {"a": 1}]),
        (v.unique_items, [[], [1, True, "1", None], [{"a": 1}, {"a": 2}], [[1], [True]], (1, 2)],
         [[1, 1.0], [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [[1], [1]], "ab", [None, None]]),
        (v.each(v.is_positive), [[], [1], (1, 2), {1}, deque([1])], [[0], "12", 5, {"a": 1}]),
        (v.keys(v.is_slug, int), [{}, {"a": 1}], [{"A": 1}, {"a": "1"}, {1: 1}, []]),
        (v.is_instance_of(int, dt.date), [1, dt.date(2026, 1, 1)], [True, "1"]),
        (v.is_instance_of(float), [1.5, 1], [True, "1"]),
        (v.any_of(v.is_ip, v.is_uuid), ["::1"], ["x"]),
        (v.none_of("a".__eq__, v.is_integer), ["b"], ["a", 5]),
        (v.all_of(), [1, None], []),
        (v.when(v.is_string, v.min_length(2), v.is_positive), ["ab", 1], ["a", 0]),
        (v.optional(v.is_integer), [None, 1], ["a"]),
        (v.matches_pattern(r"\d+"), ["12", "١٢"], ["", "12a", "a12", "12\n", 12, b"12"]),
        (v.matches_pattern(r"\d", whole=False), ["a1b"], ["a"]),
        (v.matches_pattern(rb"\d+"), [b"12"], ["12"]),
        (v.is_ip, ["127.0.0.1", "::", "fe80::1%eth0", "::ffff:1.2.3.4"],
         ["", "1.2.3", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "[::1]", "::1%", "::1%a b", "1.2.3.4%eth0",
          "1.2.3.4/8", "：：１", 16909060]),
        (v.is_ip(version=4), ["1.2.3.4"], ["::1"]),
        (v.is_ip(version=6, zone=False), ["::1"], ["fe80::1%eth0", "1.2.3.4"]),
        (v.is_hostname, ["localhost", "a.b-c.example", "münchen.de", "xn--mnchen-3ya.de", "x" * 63],
         ["", "-a.b", "a-.b", "a..b", ".a", "a.", "a_b.c", "1.2.3.4", "x" * 64, "a b", "xn--a",
          ".".join(["abcdefgh"] * 29)]),
        (v.is_hostname(dotless=False, idn=False), ["a.b"], ["localhost", "münchen.de"]),
        (v.is_email,
         ["user@example.com", "ada+news@example.org", "a@b.museum", "o'neil@example.photography",
          "x" * 64 + "@example.com", "δοκιμή@example.com", "ada@münchen.de", "用户@例子.广告"],
         ["", "a", "@", "a@", "@b.co", "a@b", "a b@c.de", "a@b@c.de", "a..b@c.de", ".a@c.de", "a.@c.de",
          '"a b"@c.de', "a@[127.0.0.1]", "a@-b.de", "a@b_c.de", "a@localhost", "a@b.de\n", " a@b.de",
          "x" * 65 + "@example.com", "é" * 33 + "@example.com", "a@" + "b" * 64 + ".de",
          "Ada <a@b.de>", "a@b.c,d@e.f"]),
        (v.is_email(quoted_local=True, literal=True), ['"a b"@example.com', "a@[127.0.0.1]"], ["a"]),
        (v.is_url,
         ["http://example.com", "https://example.com:8443/a/b?c=d&e=%20#f", "https://münchen.de/straße",
          "https://[::1]/", "http://192.0.2.1", "HTTPS://EXAMPLE.COM", "https://example.com/a|b?q=[1]",
          "https://💩.la", "http://example.com./"],
         ["", "example.com", "//example.com", "http://", "http:///a", "https:example.com",
          "http:/example.com", "http:\\\\example.com", "http://exa mple.com", " http://example.com",
          "http://example.com\n", "http://example.com/\t", "javascript:alert(1)", "data:,x", "ftp://a.bc",
          "http://localhost", "http://user@example.com", "http://user:pw@example.com", "http://:@a.bc",
          "http://a.bc:99999", "http://a.bc:x", "http://[::1", "http://[fe80::1%25eth0]/", "http://0x7f.1",
          "http://010.0.0.1", "http://1.2.3", "http://256.256.256.256", "http://a..bc", "http://.bc",
          "http://a.bc/%zz", "http://a.bc\\@evil.com", "http://a.bc#b#c",
          "https://example.com/" + "a" * 2083, "http://a\u202eb.com", "http://a.bc/<script>"]),
        (v.is_url(schemes=None, dotless=True, credentials=True),
         ["ftp://u:p@localhost/", "postgresql://u@db:5432/x", "file:///etc/passwd"], ["mailto:a@b.c"]),
        (v.is_url(schemes="wss"), ["wss://a.bc"], ["ws://a.bc", "https://a.bc"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "good", "bad"), TABLE, ids=range(len(TABLE)))
def test_tables(rule, good, bad):
    for value in good:
        assert rule(value), value
        assert rule.validate(value).validated_data is not None or value is None
    for value in bad:
        assert not rule(value), value
        assert rule.validate(value).errors


REFUSED = [
    (lambda: v.min_value("5"), TypeError, "limit must be a number, or a date or time, not '5'"),
    (lambda: v.min_value(None), TypeError, "limit must be"),
    (lambda: v.max_value(limit=True), TypeError, "limit must be"),
    (lambda: v.max_value(NAN), ValueError, "limit must be a number, not nan"),
    (lambda: v.value_between(5, 1), ValueError, "high must be at least 5, not 1"),
    (lambda: v.value_between(1, dt.date(2026, 1, 1)), TypeError, "high must be"),
    (lambda: v.multiple_of(0), ValueError, "base must be a finite number above 0, not 0"),
    (lambda: v.multiple_of("1"), TypeError, "base must be"),
    (lambda: v.min_length(-1), ValueError, "limit must be a whole number of at least 0, not -1"),
    (lambda: v.min_items(1.5), ValueError, "limit must be"),  # type: ignore[arg-type]
    (lambda: v.max_length("5"), TypeError, "limit must be"),  # type: ignore[arg-type]
    (lambda: v.length_between(5, 1), ValueError, "high must be"),
    (v.any_of, TypeError, "any_of needs"),
    (lambda: v.all_of(5), TypeError, "schema must hold"),
    (v.starts_with, TypeError, "beginnings must be one string or more"),
    (lambda: v.ends_with(5), TypeError, "endings must be"),  # type: ignore[arg-type]
    (lambda: v.matches_pattern(5), TypeError, "pattern must be"),  # type: ignore[arg-type]
    (lambda: v.matches_pattern("a", timeout=0), ValueError, "timeout must be"),
    (v.is_instance_of, TypeError, "types must be classes"),
    (lambda: v.is_instance_of("int"), TypeError, "types must be classes"),  # type: ignore[arg-type]
    (lambda: v.is_ip(version=5), ValueError, "version must be one of None, 4, 6, not 5"),
    (lambda: v.is_url(max_length=0), ValueError, "max_length must be"),
    (v.is_email, TypeError, "needs a value"),
    (lambda: v.FunctionValidator(5), TypeError, "fn must be callable, not 5"),  # type: ignore[arg-type]
    (lambda: v.SchemaValidator([]), TypeError, "schema must be a dictionary"),  # type: ignore[arg-type]
    (lambda: v.SchemaValidator({}, extra="keep"), ValueError, "extra must be one of"),
    (lambda: v.validate_dict({}, {}, extra="keep"), ValueError, "extra must be one of"),  # type: ignore[arg-type]
    (lambda: v.validate_dict({}, 5), TypeError, "schema must be a dictionary"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("make", "error", "message"), REFUSED, ids=range(len(REFUSED)))
def test_bad_arguments_are_refused_when_a_rule_is_made(make, error, message):
    with pytest.raises(error, match=message.replace("(", r"\(")):
        make()


@given(st.text())
def test_any_text_gets_an_answer(text):
    for rule in STRINGS:
        assert rule(text) in {True, False}


@given(
    st.from_regex(
        r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})\Z"
    )
)
def test_what_passes_can_be_read(text):
    if v.is_iso_datetime(text):
        assert isinstance(dt.datetime.fromisoformat(text), dt.datetime)


@given(st.lists(st.recursive(st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=1),
                             lambda inner: st.lists(inner, max_size=2)), max_size=6))  # fmt: skip
def test_unique_items_by_comparing_all_pairs(items):
    def same(a, b):
        if isinstance(a, list) and isinstance(b, list):
            return len(a) == len(b) and all(map(same, a, b))
        return type(a) is type(b) and a == b

    pairs = any(same(a, b) for i, a in enumerate(items) for b in items[:i])
    assert v.unique_items(items) is not pairs


def test_options_make_another_validator():
    secure = v.is_url(schemes={"https"})
    assert secure("https://a.bc")
    assert not secure("http://a.bc")
    assert v.is_url("http://a.bc", schemes={"http"}) is True
    assert (
        secure.validate("http://a.bc").errors[0].message
        == "must be a URL that starts with https://"
    )
    assert v.is_email("a@b.co", quoted_local=True) is True
