"""The public names are what the package promises."""

import shared.storage as package


def test_all_is_sorted_and_complete():
    assert list(package.__all__) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)
    assert set(package.__all__) <= set(dir(package))


def test_where_a_name_stands_shows_nowhere():
    for name in package.__all__:
        assert getattr(package, name).__module__ == package.__name__
