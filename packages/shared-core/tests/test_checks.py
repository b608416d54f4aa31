"""One sentence for every refusal, and the right values through."""

import math
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from shared.core import checks


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no")


class Scalar:
    """As NumPy's: has a float, an index, an empty shape."""

    shape = ()

    def __init__(self, value):
        self.value = value

    def __float__(self):
        return float(self.value)

    def __index__(self):
        if not isinstance(self.value, int):
            raise TypeError("not an integer")
        return self.value


class Array(Scalar):
    def __len__(self):
        return 1


@pytest.mark.parametrize(
    ("value", "limits", "found"),
    [
        (1, {}, 1.0),
        (0.5, {"least": 0, "most": 1}, 0.5),
        (Decimal("1.5"), {}, 1.5),
        (Fraction(1, 4), {"above": 0}, 0.25),
        (Scalar(2), {}, 2.0),
        (math.inf, {"finite": False}, math.inf),
        (10**400, {"finite": False}, math.inf),
    ],
)
def test_numbers_that_are_taken(value, limits, found):
    assert checks.number("x", value, **limits) == found
    assert type(checks.number("x", value, **limits)) is float


@pytest.mark.parametrize(
    ("value", "limits", "kind", "sentence"),
    [
        ("3", {}, TypeError, "x must be a finite number, not '3'"),
        (True, {}, TypeError, "x must be a finite number, not True"),
        (None, {"least": 0}, TypeError, "x must be a finite number of at least 0, not None"),
        (Array(1), {}, TypeError, "x must be a finite number, not <"),
        (1j, {}, TypeError, "x must be a finite number, not 1j"),
        (math.nan, {"finite": False}, ValueError, "x must be a number, not nan"),
        (math.inf, {}, ValueError, "x must be a finite number, not inf"),
        (-(10**400), {}, ValueError, "x must be a finite number, not -1000"),
        (0, {"above": 0}, ValueError, "x must be a finite number above 0, not 0"),
        (2, {"least": 0, "most": 1}, ValueError, "x must be a finite number from 0 to 1, not 2"),
        (2, {"most": 1}, ValueError, "x must be a finite number of at most 1, not 2"),
        (Unprintable(), {}, TypeError, "x must be a finite number, not <unprintable Unprintable>"),
    ],
)
def test_numbers_that_are_refused(value, limits, kind, sentence):
    with pytest.raises(kind) as caught:
        checks.number("x", value, **limits)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("value", "kind"), [(1.0, ValueError), ("1", TypeError), (True, TypeError), (0, ValueError)]
)
def test_what_is_not_a_whole_number(value, kind):
    with pytest.raises(kind, match=r"size must be a whole number of at least 1, not "):
        checks.whole("size", value)


def test_whole_numbers():
    assert checks.whole("size", 3) == 3
    assert type(checks.whole("size", Scalar(3))) is int
    assert checks.whole("size", 10**30) == 10**30
    with pytest.raises(ValueError, match="size must be a whole number from 0 to 9, not 10"):
        checks.whole("size", 10, least=0, most=9)


def test_times():
    assert checks.seconds("t", timedelta(milliseconds=5)) == 0.005
    assert checks.seconds("t", 0) == 0.0
    assert checks.seconds("t", math.inf, unlimited=True) == math.inf
    for bad in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"t must be a finite number of at least 0, not "):
            checks.seconds("t", bad)
    with pytest.raises(ValueError, match=r"t must be a number above 0, not 0"):
        checks.seconds("t", 0, above=0, unlimited=True)
    with pytest.raises(ValueError, match=r"t must be .*, not -60"):
        checks.seconds("t", timedelta(minutes=-1))


def test_the_other_checks():
    assert checks.text("name", "a") == "a"
    assert checks.function("fn", None, optional=True) is None
    assert checks.function("fn", len) is len
    assert checks.choice("format", "json", ("json", "text")) == "json"
    with pytest.raises(TypeError, match="name must be a string, not 7"):
        checks.text("name", 7)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name must be a string that is not empty, not ''"):
        checks.text("name", "", empty=False)
    with pytest.raises(TypeError, match="fn must be callable, not None"):
        checks.function("fn", None)
    with pytest.raises(TypeError, match="fn must be callable or None, not 7"):
        checks.function("fn", 7, optional=True)
    with pytest.raises(ValueError, match="format must be one of 'json', 'text', not 'xml'"):
        checks.choice("format", "xml", ("json", "text"))
    with pytest.raises(ValueError, match="n must be one of 0, 1, not False"):
        checks.choice("n", value=False, allowed=(0, 1))
    with pytest.raises(ValueError, match=r"n must be one of 0, 1, not \[\]"):
        checks.choice("n", [], (0, 1))


def test_an_error_shows_little_and_no_secret():
    assert checks.shown("hunter2", "db_password") == "[REDACTED]"
    assert checks.shown("redis://app:hunter2@cache/0") == "'redis://app:[REDACTED]@cache/0'"
    assert checks.shown("x" * 70 + "password=hunter2") == f"'{'x' * 70}passw...'"
    assert "hunter" not in checks.shown("password: " + "hunter2" * 20)
    assert len(checks.shown("x" * 10**7)) <= 80
    assert len(checks.shown(list(range(10**5)))) <= 80
