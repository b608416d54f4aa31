"""JSON that becomes what the caller wants."""

from dataclasses import dataclass

import pydantic
import pytest

from shared.storage import MemoryStore


class Model(pydantic.BaseModel):
    name: str
    count: int = 0


@dataclass
class Data:
    name: str
    count: int = 0


@pytest.fixture
def store():
    store = MemoryStore()
    store.put_json("object", {"name": "a", "count": 2})
    store.put_json("list", [{"name": "a"}])
    store.put("true", b"true")
    store.put_json("number", 5)
    return store


def test_types(store):
    assert store.get_json("object", Model) == Model(name="a", count=2)
    assert store.get_json("object", Data) == Data("a", 2)
    assert store.get_json("list", pydantic.TypeAdapter(list[Model]).validate_python) == [
        Model(name="a")
    ]
    assert store.get_json("list", list) == [{"name": "a"}]
    assert store.get_json("number", int) == 5
    assert store.get_json("number", lambda value: value + 1) == 6
    with pytest.raises(pydantic.ValidationError):
        store.get_json("list", Model)
    for key, kind in [("list", Data), ("object", list), ("true", int), ("number", str)]:
        with pytest.raises(TypeError, match=f"{key} must be"):
            store.get_json(key, kind)
    with pytest.raises(TypeError):
        store.put_json("wrong", {"other": 1}) and store.get_json("wrong", Data)
