"""Cuts: never inside what a reader takes for one character."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import normalize_whitespace, truncate_string

FAMILY = "👩‍👩‍👧"
CLUSTERS = [FAMILY, "🇫🇷", "👍🏽", "e\u0301", "ก็", "각", "\r\n", "a", " ", "❤️", "क्षि"]


@pytest.mark.parametrize(
    ("text", "length", "cut"),
    [
        ("short", 5, "short"),
        ("longer", 5, "lo..."),
        (FAMILY * 5, 4, FAMILY + "..."),
        (FAMILY * 4, 4, FAMILY * 4),
        ("🇫🇷🇩🇪🇮🇹🇪🇸", 3, "..."),
        ("e\u0301" * 10, 5, "e\u0301e\u0301..."),
        ("", 0, ""),
        ("ab   cdefgh", 7, "ab..."),
    ],
)
def test_cuts(text, length, cut):
    assert truncate_string(text, length) == cut


@given(
    st.lists(st.sampled_from(CLUSTERS), max_size=40).map("".join),
    st.integers(1, 45),
    st.booleans(),
)
def test_no_cluster_is_split_and_the_suffix_counts(text, length, words):
    cut = truncate_string(text, length, "…", words=words)
    clusters = regex.findall(r"\X", cut)
    assert len(clusters) <= length
    if cut != text:
        assert cut.endswith("…")
        whole = regex.findall(r"\X", text)
        kept = clusters[:-1]
        assert kept == whole[: len(kept)]


def test_words_are_kept_whole_where_one_fits():
    assert truncate_string("The quick brown fox", 14, words=True) == "The quick..."
    assert truncate_string("The quick brown fox", 12, words=True) == "The quick..."
    assert truncate_string("Incomprehensible", 8, words=True) == "Incom..."
    assert truncate_string("The quick", 6, "…", words=True) == "The…"


def test_only_what_is_needed_of_a_long_text_is_read():
    assert truncate_string("x" * 10**8, 5) == "xx..."


def test_what_is_refused():
    with pytest.raises(
        ValueError, match=r"length must be at least that of the suffix '\.\.\.', not 2"
    ):
        truncate_string("longer", 2)
    with pytest.raises(ValueError, match="length must be a whole number of at least 0, not -1"):
        truncate_string("x", -1)
    with pytest.raises(TypeError, match="text must be a string, not None"):
        truncate_string(None, 5)  # type: ignore[arg-type]


def test_white_space_of_every_kind():
    assert normalize_whitespace(" a \t\n\u00a0\u2003b\x0bc ") == "a b c"
    assert normalize_whitespace("") == ""
