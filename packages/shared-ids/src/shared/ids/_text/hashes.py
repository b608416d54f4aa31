"""Fingerprints of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.core.checks import choice, refuse, whole

if TYPE_CHECKING:
    from typing import Final

ALGORITHMS: Final = (
    "sha256", "sha512", "sha384", "sha224", "sha3_256", "sha3_512", "blake2b", "blake2s", "sha1", "md5",
)  # fmt: skip


def hash_string(
    text: str | bytes,
    algorithm: str = "sha256",
    length: int | None = None,
    key: str | bytes | None = None,
) -> str:
    """Return a fingerprint in hexadecimal digits: for cache keys, checksums, deduplication.

    Not for passwords: a plain hash of one is guessed at billions of tries per second. Use the
    password hasher of `shared-security`, or argon2-cffi.

    Args:
        text: What to hash; a string as UTF-8.
        algorithm: sha256, sha512, sha384, sha224, sha3_256, sha3_512, blake2b, blake2s; sha1 and
            md5 only where another system demands them.
        length: How many digits to return, at least 8; None: all.
        key: With a key it is an HMAC, which only its owner can make or check.

    Raises:
        TypeError: `text` or `key` is neither a string nor bytes.
        ValueError: Another algorithm, or a length that the algorithm does not have.

    Example:
        >>> hash_string("orders", length=16)
        '1c168adb00d208e4'
    """
    import hashlib
    import hmac

    choice("algorithm", algorithm, ALGORITHMS)
    data = _bytes("text", text)
    if key is None:
        digest = hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
    else:
        digest = hmac.new(_bytes("key", key), data, algorithm).hexdigest()
    if length is None:
        return digest
    return digest[: whole("length", length, least=8, most=len(digest))]


def _bytes(name: str, value: str | bytes) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise refuse(name, "a string or bytes", value, TypeError)
