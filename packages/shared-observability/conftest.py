# ruff: noqa: INP001 - importlib mode
"""The examples in docstrings change global state too: each leaves it as it was."""

import logging
from collections.abc import Iterator

import pytest

from shared.observability._configure import reset


@pytest.fixture(autouse=True)
def reset_logging(request: pytest.FixtureRequest) -> Iterator[None]:
    """After an example, forget its configuration."""
    yield
    if isinstance(request.node, pytest.DoctestItem):
        reset()
        logging.getLogger().setLevel(logging.WARNING)
