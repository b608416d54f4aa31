"""One vocabulary of secrets: the table of hostile texts, which every package is held to as well."""

import json
import re
from pathlib import Path

import pytest

from shared.core.redaction import MARKER, hide, key_verdict, make_scrub, one_line, scrub

TABLE = json.loads(Path(__file__).with_name("hostile_texts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("entry", TABLE["secret"], ids=lambda entry: entry["kind"])
def test_a_secret_is_hidden_and_the_rest_stays(entry):
    assert scrub(entry["text"]) == entry["shown"]
    assert MARKER in entry["shown"]
    assert entry["secret"] not in entry["shown"]


@pytest.mark.parametrize("entry", TABLE["secret"], ids=lambda entry: entry["kind"])
def test_what_was_hidden_once_stays_as_it_is(entry):
    assert scrub(entry["shown"]) == entry["shown"]


@pytest.mark.parametrize("text", TABLE["plain"])
def test_a_harmless_text_is_the_very_same_object(text):
    assert scrub(text) is text


def test_keys_are_judged_by_their_words():
    secret = ["password", "DB_PASSWORD", "dbPassword", "apiKey", "x-api-key", "private_key", "otp"]
    about = ["password_length", "token_count", "secretName", "author", "keyboard", "passenger"]
    assert [key_verdict(key) for key in secret] == [1] * len(secret)
    assert [key_verdict(key) for key in about] == [0] * len(about)
    assert [key_verdict(key) for key in ("tokens", "auth", "cookies")] == [2, 2, 2]


def test_more_keys_and_patterns():
    more = make_scrub(
        lambda key: key == "badge" or key_verdict(key),
        keys=["badge"],
        patterns=[re.compile(r"\bT-(\d+)\b"), re.compile(r"room \d+")],
    )
    assert more("badge=7, T-1234 in room 12, password=x") == (
        "badge=[REDACTED], T-[REDACTED] in [REDACTED], password=[REDACTED]"
    )


def test_known_secrets_are_hidden_the_longest_first():
    assert hide("hunter22 and hunter2", ["hunter2", "", "hunter22"]) == f"{MARKER} and {MARKER}"


def test_one_line_is_printable_short_and_scrubbed():
    assert one_line("a\x1b[31m\nb\u202ec\x00 d") == "a b c d"
    assert one_line("x" * 10**6) == "x" * 199 + "…"
    assert one_line("y" * 50, limit=10) == "y" * 9 + "…"
    # Cut after the secret is gone, not before.
    assert one_line("password=" + "h" * 300, limit=40) == "password=[REDACTED]"
    # Nor does half a secret show that begins before the last character that is read.
    key = "-----BEGIN PRIVATE KEY-----" + "x" * 300 + "-----END PRIVATE KEY----- "
    assert "abcdefgh" not in one_line(f"{key} sk-abcdefghijklmnop", limit=35)
