"""The public names are what the package promises."""

import shared.observability as package


def test_all_is_sorted_and_complete():
    assert list(package.__all__) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


def test_public_names_bear_the_package_name():
    named = [getattr(package, name) for name in package.__all__]
    assert {value.__module__ for value in named} == {"shared.observability"}
