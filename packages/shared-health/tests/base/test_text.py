"""Errors are shown in one short line without secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.health._base.text import describe


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("connect postgresql://app:s3cr3t@db:5432/x failed", "s3cr3t"),
        ("redis://:s3cr3t@cache", "s3cr3t"),
        ("postgresql://app:p@ss/w0rd@db/x", "w0rd"),
        ("host=db password=s3cr3t user=app", "s3cr3t"),
        ("password='two words' x", "two words"),
        ('{"api_key": "s3cr3t"}', "s3cr3t"),
        ("Authorization: Bearer abcdef.ghijkl", "abcdef"),
        ("header was 'Bearer abcdefghijkl'", "abcdefghijkl"),
        ("Incorrect key sk-abcdefghijklmnop given", "abcdefghijklmnop"),
        ("url?token=s3cr3t&x=1", "s3cr3t"),
        ("key AKIAIOSFODNN7EXAMPLE refused", "AKIAIOSFODNN7EXAMPLE"),
        ("cookie: sid=abc123def", "abc123def"),
        ("--password hunter2", "hunter2"),
    ],
)
def test_secrets_go(text, secret):
    shown = describe(ValueError(text))
    assert secret not in shown
    assert "[REDACTED]" in shown


def test_the_rest_stays():
    assert describe(ValueError("user=app host=db")) == "ValueError: user=app host=db"


@given(st.text())
def test_an_error_is_one_short_printable_line(text):
    clean = describe(ValueError(text))
    assert len(clean) <= 200
    assert clean.isprintable()
    assert clean == clean.strip()


def test_errors_are_described():
    class Rude(Exception):
        def __str__(self):
            raise RuntimeError

    assert describe(Rude()) == "Rude"
    assert describe(ValueError("a\n\x1b[31mb\u202ec\x00")) == "ValueError: a b c"
