"""The public names are what the package promises, and cost nothing until they are used."""

import subprocess
import sys

import pytest

import shared.resilience as package


def test_all_is_sorted_and_complete():
    assert list(package.__all__) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="Nothing"):
        package.Nothing  # type: ignore[attr-defined]  # noqa: B018 - it is what raises


def test_nothing_is_imported_that_is_not_used():
    code = (
        "import sys, shared.resilience as r\n"
        "print({'asyncio', 'dataclasses', 'inspect', 'stamina', 'typing_extensions'} & set(sys.modules))\n"
        "from shared.resilience import *\n"
        "print({'redis', 'prometheus_client', 'opentelemetry', 'structlog'} & set(sys.modules))\n"
        "print(isinstance(Retry(), r.Policy))"
    )
    run = subprocess.run([sys.executable, "-Ic", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\nset()\nTrue\n"


def test_no_private_layout_shows():
    for name in package.__all__:
        assert getattr(getattr(package, name), "__module__", "") == "shared.resilience", name


def test_the_virtual_clock_is_that_of_core():
    from shared.core.testing import VirtualClock
    from shared.resilience import testing

    assert testing.VirtualClock is VirtualClock
