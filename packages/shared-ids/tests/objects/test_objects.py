"""Dictionaries with attributes: equal after a round trip."""

import copy
import dataclasses
import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import Object, dict_to_object, object_to_dict

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.text(max_size=5) | st.integers(), VALUES, max_size=4))
def test_a_round_trip_is_equal(source):
    made = dict_to_object(source)
    assert object_to_dict(made) == source
    assert pickle.loads(pickle.dumps(made)) == made == copy.deepcopy(made)


def test_attributes_and_items():
    made = dict_to_object({"a": {"b": [{"c": 1}]}, "class": 2, "x-y": 3, "_items": 4, "keys": 5})
    assert made.a.b[0].c == 1
    assert (made["class"], made["x-y"], made["_items"], made.keys) == (2, 3, 4, 5)
    made.new = 6
    del made.a
    assert object_to_dict(made) == {"class": 2, "x-y": 3, "_items": 4, "keys": 5, "new": 6}
    assert "new" in made
    assert len(made) == 5
    with pytest.raises(AttributeError, match="there is no 'gone'"):
        made.gone  # noqa: B018
    with pytest.raises(AttributeError, match="there is no 'gone'"):
        del made.gone
    assert repr(Object({"a": 1})) == "Object({'a': 1})"
    assert Object({"a": 1}) != {"a": 1}


def test_the_source_is_not_changed():
    source = {"a": {"b": 1}}
    made = dict_to_object(source)
    made.a.b = 2
    assert source == {"a": {"b": 1}}


@dataclasses.dataclass
class Point:
    x: int
    inner: "Point | None" = None


class Plain:
    def __init__(self):
        self.a = Point(1)
        self._hidden = 2


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a = 1


class OneSlot:
    __slots__ = "name"  # noqa: PLC0205 - a string is allowed too

    def __init__(self):
        self.name = 1


def test_dataclasses_and_plain_objects():
    assert object_to_dict(Point(1, Point(2))) == {"x": 1, "inner": {"x": 2, "inner": None}}
    assert object_to_dict(Plain()) == {"a": {"x": 1, "inner": None}}
    assert object_to_dict(Slotted()) == {"a": 1}
    assert object_to_dict(OneSlot()) == {"name": 1}
    assert object_to_dict(SimpleNamespace(a=SimpleNamespace(b=1), p=Path())) == {
        "a": {"b": 1},
        "p": Path(),
    }


@pytest.mark.parametrize("value", [1, "a", None, [1], Plain])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(TypeError, match=r"o must be an object with attributes, not "):
        object_to_dict(value)
    with pytest.raises(TypeError, match=r"d must be a mapping, not "):
        dict_to_object(value)


def test_cycles_end_with_an_error():
    cycle: dict[str, object] = {}
    cycle["self"] = cycle
    with pytest.raises(ValueError, match="d must be at most 200 deep, and not contain itself"):
        dict_to_object(cycle)
    made = Object()
    made.me = made
    with pytest.raises(ValueError, match="o must be at most 200 deep"):
        object_to_dict(made)
