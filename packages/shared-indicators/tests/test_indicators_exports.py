"""The public names are what the package promises."""

import json

import pytest

import shared.indicators as package


def test_all_is_sorted_and_complete():
    assert list(package.__all__) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


def test_the_registry_is_ready_for_json():
    found = {name: spec.as_dict() for name, spec in package.available().items()}
    again = json.loads(json.dumps(found))
    assert again["MACD"]["parameters"][0]["name"] == "fast"
    assert json.loads(json.dumps(package.available())).keys() == again.keys()
    assert all(package.available()[name].indicator is getattr(package, name) for name in again)


def test_a_missing_value_of_an_update_is_named():
    indicator = package.ATR(1)
    for _ in range(3):
        for values in ((), (2.0,), (2.0, 1.0)):
            with pytest.raises(TypeError, match="close"):
                indicator.update(*values)
        indicator.update(2.0, 1.0, 1.5)
