"""The public names are what the package promises, and the registry lists them."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import shared.indicators as package


@pytest.mark.parametrize("room", ["_library", "_patterns"])
def test_every_file_of_the_room_is_in_the_table_of_names(room):
    table: Any = package.__getattr__
    homes = set(table.homes.values())
    folder = Path(import_module(f"shared.indicators.{room}").__path__[0])
    shared_by_patterns = {"__init__", "pattern", "pivots", "candles", "reversals"}
    files = {path.stem for path in folder.glob("*.py")} - shared_by_patterns
    assert files
    assert {f"shared.indicators.{room}.{file}" for file in files} <= homes


def test_all_is_sorted_and_complete():
    assert list(package.__all__) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


def test_the_registry_is_ready_for_json():
    found = {name: spec.as_dict() for name, spec in package.available().items()}
    again = json.loads(json.dumps(found))
    assert again["MACD"]["parameters"][0]["name"] == "fast"
    assert json.loads(json.dumps(package.available())).keys() == again.keys()
    assert all(package.available()[name].indicator is getattr(package, name) for name in again)
