"""The public names are what the package promises, wherever they stand."""

import importlib
import pickle

import pytest

PACKAGES = ["shared.db", "shared.db.embedded", "shared.db.testing"]


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_sorted_and_complete(name):
    package = importlib.import_module(name)
    assert list(package.__all__) == sorted(package.__all__)
    assert set(package.__all__) <= set(dir(package))
    for public in package.__all__:
        value = getattr(package, public)
        if isinstance(value, type):
            assert value.__module__ == name, public


def test_an_unknown_name_is_an_attribute_error():
    package = importlib.import_module("shared.db")
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = package.nope


def test_a_pickle_names_the_package_and_not_the_file():
    package = importlib.import_module("shared.db")
    assert b"_base" not in pickle.dumps(package.Unavailable("away"))
