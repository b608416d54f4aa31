"""The public names are what the package promises."""

import shared.config as package


def test_all_is_sorted_and_complete():
    assert list(package.__all__) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)
