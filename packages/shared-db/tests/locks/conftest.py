"""One Redis, under a short name."""

import pytest


@pytest.fixture
def db(redis_db):
    return redis_db
