"""What both colours of PostgreSQL share."""

import pytest
from psycopg.pq import TransactionStatus

from shared.db._rules import postgres


@pytest.mark.parametrize("name", ["IDLE", "ACTIVE", "INTRANS", "INERROR"])
def test_the_numbers_of_transaction_states_are_psycopgs(name):
    assert getattr(postgres, name) == TransactionStatus[name]


@pytest.mark.parametrize(
    ("text", "lasting"),
    [
        ('FATAL:  password authentication failed for user "app"', True),
        ('FATAL:  database "nope" does not exist', True),
        ("SSL error: certificate verify failed", True),
        ("server does not support SSL, but SSL was required", True),
        ("FATAL:  the database system is starting up", False),
        ("FATAL:  sorry, too many clients already", False),
        ("Connection refused", False),
    ],
)
def test_which_refusals_last(text, lasting):
    assert postgres.is_lasting(text) is lasting


def test_an_isolation_level_is_one_that_there_is():
    assert postgres.isolation_level("repeatable read").name == "REPEATABLE_READ"
    with pytest.raises(ValueError, match=r"isolation must be one of .*'serializable'.*, not 'x'"):
        postgres.isolation_level("x")
