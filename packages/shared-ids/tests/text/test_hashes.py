"""Fingerprints, held against hashlib and RFC 4231's HMAC vectors."""

import hashlib

import pytest

from shared.ids import hash_string
from shared.ids._text.hashes import ALGORITHMS

# RFC 4231, test cases 1, 2 and 3: key, data, HMAC-SHA-256.
VECTORS = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
]  # fmt: skip


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_is_that_of_hashlib(algorithm):
    assert hash_string("é", algorithm) == hashlib.new(algorithm, "é".encode()).hexdigest()


@pytest.mark.parametrize(("key", "data", "digest"), VECTORS)
def test_a_keyed_hash_is_an_hmac(key, data, digest):
    assert hash_string(data, key=key) == digest
    assert hash_string(data, key=key, length=10) == digest[:10]


def test_the_old_snippet():
    assert (
        hash_string("my_password", algorithm="sha256") == hashlib.sha256(b"my_password").hexdigest()
    )


@pytest.mark.parametrize(
    ("arguments", "kind", "match"),
    [
        ({"algorithm": "shake_128"}, ValueError, "algorithm must be one of 'sha256'"),
        ({"algorithm": "SHA-256"}, ValueError, "algorithm must be one of"),
        ({"length": 7}, ValueError, "length must be a whole number from 8 to 64, not 7"),
        ({"length": 65}, ValueError, "length must be a whole number from 8 to 64, not 65"),
        ({"key": 7}, TypeError, "key must be a string or bytes"),
    ],
)
def test_what_is_refused(arguments, kind, match):
    with pytest.raises(kind, match=match):
        hash_string("x", **arguments)


def test_a_key_does_not_show_in_an_error():
    with pytest.raises(TypeError, match="text must be a string or bytes, not 5"):
        hash_string(5)  # type: ignore[arg-type]


def test_lone_surrogates_have_a_fingerprint_too():
    assert hash_string("\ud800") != hash_string("\ud801")
