"""Slugs: stable, ASCII, never empty without a word."""

import builtins

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import slugify


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Straße 東京 — A/B", "strasse-dong-jing-a-b"),
        ("Hello, World!", "hello-world"),
        ("  many   blanks  ", "many-blanks"),
        ("Ärger über Öl", "arger-uber-ol"),
        ("Привет", "privet"),
        ("a_b.c", "a-b-c"),
        ("C++ & C#", "c-c"),
    ],
)
def test_texts_and_their_slugs(text, slug):
    assert slugify(text) == slug


@given(st.text(max_size=60), st.integers(1, 30))
def test_a_slug_is_ascii_short_and_its_own_slug(text, most):
    slug = slugify(text, max_length=most, default="x")
    assert 0 < len(slug) <= most
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert slugify(slug) == slug


def test_options():
    assert slugify("The quick brown fox", max_length=12) == "the-quick"
    assert slugify("incomprehensibilities", max_length=5) == "incom"
    assert slugify("report 2026.tar.gz", separator="_", keep=".") == "report_2026.tar.gz"
    assert slugify("a b", separator="") == "ab"
    with pytest.raises(ValueError, match="separator must be one of"):
        slugify("a b", separator="/")


def test_nothing_left_is_an_error_or_the_default():
    with pytest.raises(ValueError, match="text must be a text of which something is left"):
        slugify("🎉")
    assert slugify("🎉", default="untitled") == "untitled"


def test_the_missing_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "slugify":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'shared-ids\[slug\]'"):
        slugify("a")
