"""One PostgreSQL and a table, under short names."""

import pytest


@pytest.fixture
def db(postgres_db):
    return postgres_db


@pytest.fixture
def table(postgres_table):
    return postgres_table
