"""The syntax of Python 3.12: aliases that contain themselves, and type parameters."""

import sys
from typing import Any

import pytest

from shared.validation import ValidationError, validate_arguments

SOURCE = """
type Json = dict[str, Json] | list[Json] | str | int | float | bool | None
type Pair[T] = tuple[T, T]

@check
def send(data: Json) -> Json:
    return data

@check
def first[T: (int, str)](pair: Pair[T], value: T) -> T:
    return pair[0]

class Box[T]:
    @check
    def put(self, value: T, other: "Box[T]") -> T:
        return value
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is that of Python 3.12")
@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_aliases_and_type_parameters(future):
    names: dict[str, Any] = {"check": validate_arguments}
    exec(future + SOURCE, names)
    data = {"a": [1, None, {"b": [True, 1.5]}]}
    assert names["send"](data) is data
    with pytest.raises(ValidationError) as caught:
        names["send"]({"a": [1, object()]})
    assert "object" in str(caught.value)
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValidationError):
        names["send"](loop)
    assert names["first"]((1, 2), 3) == 1
    with pytest.raises(ValidationError):
        names["first"]((1, 2), 1.5)
    with pytest.raises(ValidationError):
        names["first"]((1, 2, 3), 1)
    box = names["Box"]()
    assert box.put(1, box) == 1
    with pytest.raises(ValidationError):
        box.put(1, 5)
