"""Encrypted values: `enc:v1:<key id>:<base64>`, AES-256-GCM, bound to the variable's name."""

from __future__ import annotations

import base64
import os
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from .._base.errors import ConfigurationError, Problem
from .files import lookup
from .secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["KEYRING", "Keyring", "decrypt_config_value", "encrypt_config_value"]

KEYRING = "CONFIG_KEYRING"
_PREFIX = "enc:v1:"
_NONCE = 12  # bytes; the length that GCM is designed for (NIST SP 800-38D, 8.2)


class Keyring:
    """The keys that encrypt and decrypt configuration values.

    Rotation: add a new key, make it active, encrypt the values again at any time; the old key
    decrypts the old values until it is removed.

    Args:
        keys: 32 bytes per key id (letters, digits, `-` and `_`).
        active: The id of the key that encrypts; the first one if None.

    Raises:
        ConfigurationError: A key id or a key is malformed; keys are not shown.

    Example:
        >>> ring = Keyring({"2026": bytes(32)}, active="2026")
        >>> secret = encrypt_config_value("s3cret", ring, name="POSTGRES_PASSWORD")
        >>> secret.startswith("enc:v1:2026:")
        True
        >>> decrypt_config_value(secret, ring, name="POSTGRES_PASSWORD")
        's3cret'
    """

    __slots__ = ("_ciphers", "active")

    active: str

    def __init__(self, keys: Mapping[str, bytes], active: str | None = None) -> None:
        ciphers, problems = _ciphers(keys, active)
        del keys  # a traceback with locals shows no key
        self.active = active if active is not None else next(iter(ciphers), "")
        # A read-only view: neither vars nor repr of this object shows a key.
        self._ciphers: Mapping[str, AESGCM] = MappingProxyType(ciphers)
        if problems:
            raise ConfigurationError(problems)

    @classmethod
    def parse(cls, text: str | Secret, source: str = KEYRING) -> Keyring:
        """Read `id=base64` entries, separated by commas or white space; the first is active.

        Raises:
            ConfigurationError: An entry is malformed; the entry is not shown.
        """
        hidden = Secret(text)
        del text
        made, problems = _parsed(cls, hidden, source)
        if made is None:
            raise ConfigurationError(problems)
        return made

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Keyring:
        """Read `CONFIG_KEYRING`, or the file that `CONFIG_KEYRING_FILE` names.

        Args:
            env: The environment, `os.environ` if None.

        Returns:
            The keyring.

        Raises:
            ConfigurationError: Neither is set, or its value is malformed.
        """
        text = lookup(KEYRING, env)
        if text is None:
            raise ConfigurationError(f"{KEYRING}: is required and not set (or {KEYRING}_FILE)")
        return cls.parse(text)

    @staticmethod
    def generate(key_id: str) -> str:
        """Return a new random key as one entry for `CONFIG_KEYRING`."""
        return f"{key_id}={base64.urlsafe_b64encode(os.urandom(32)).decode()}"

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._ciphers

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._ciphers)}; active={self.active!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a keyring is not pickled: load it in the process that needs it")

    def cipher(self, key_id: str) -> AESGCM:
        """Return the cipher of a key; a KeyError if there is none."""
        return self._ciphers[key_id]


def encrypt_config_value(value: str | Secret, keyring: Keyring, name: str = "") -> str:
    """Encrypt a value with the active key.

    Args:
        value: The text to encrypt.
        keyring: The keys.
        name: The variable that will contain it. Only the same name decrypts it.

    Returns:
        Text of the form `enc:v1:<key id>:<base64>`, different each time.

    Raises:
        TypeError: The value is not text.

    Example:
        >>> encrypt_config_value("s3cret", Keyring({"k1": bytes(32)}), name="API_TOKEN")
        'enc:v1:k1:...'
    """
    plain = Secret(value)
    del value
    nonce = os.urandom(_NONCE)
    sealed = keyring.cipher(keyring.active).encrypt(
        nonce, plain.reveal().encode("utf-8", "surrogatepass"), _bound(keyring.active, name)
    )
    return f"{_PREFIX}{keyring.active}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def decrypt_config_value(value: str | Secret, keyring: Keyring, name: str = "") -> str:
    """Decrypt a value; any key of the ring will do.

    Args:
        value: The result of `encrypt_config_value`.
        keyring: The keys.
        name: The name that it was encrypted for.

    Returns:
        The plain text.

    Raises:
        ConfigurationError: The key is missing or wrong, the value was changed, or it belongs to
            another name. Neither plain nor encrypted text is in the error.

    Example:
        >>> keyring = Keyring({"k1": bytes(32)})
        >>> value = encrypt_config_value("s3cret", keyring, name="API_TOKEN")
        >>> decrypt_config_value(value, keyring, name="API_TOKEN")
        's3cret'
        >>> decrypt_config_value(value, keyring, name="POSTGRES_PASSWORD")
        Traceback (most recent call last):
        ...
        shared.config.ConfigurationError: POSTGRES_PASSWORD: cannot be decrypted ...
    """
    hidden = Secret(value)
    del value  # a traceback with locals shows only the marker
    plain, problem = _opened(hidden, keyring, name)
    if plain is None:
        raise ConfigurationError(Problem(name or "value", problem))
    return plain


def _opened(hidden: Secret, keyring: Keyring, name: str) -> tuple[str | None, str]:
    from cryptography.exceptions import InvalidTag

    match = re.fullmatch(r"enc:v1:([A-Za-z0-9_-]{1,64}):([A-Za-z0-9_=-]+)", hidden.reveal().strip())
    if match is None:
        return None, "is not of the form enc:v1:<key id>:<base64>"
    key_id = match[1]
    if key_id not in keyring:
        return None, f"is encrypted with the key {key_id!r}, which the keyring does not contain"
    try:
        raw = base64.b64decode(match[2].encode(), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(raw).decode() != match[2]:  # bits that decoding ignores
            raise InvalidTag
        plain = keyring.cipher(key_id).decrypt(raw[:_NONCE], raw[_NONCE:], _bound(key_id, name))
        return plain.decode("utf-8", "surrogatepass"), ""
    except (InvalidTag, ValueError):
        return None, (
            f"cannot be decrypted with the key {key_id!r}: the key is wrong, the value was changed, "
            "or it was encrypted for another name"
        )


def _ciphers(
    keys: Mapping[Any, Any], active: str | None
) -> tuple[dict[str, AESGCM], list[Problem]]:
    """Check the keys. Problems are returned: the frame that raises them has no key."""
    aes = _aesgcm()
    problems, ciphers = [], {}
    for key_id, key in keys.items():
        if not isinstance(key_id, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", key_id):
            problems.append(Problem("keyring", "a key id is 1 to 64 letters, digits, '-', '_'"))
        elif not isinstance(key, (bytes, bytearray)):
            problems.append(Problem(f"key {key_id!r}", f"is {type(key).__name__}, not 32 bytes"))
        elif len(key) != 32:
            problems.append(Problem(f"key {key_id!r}", f"is {len(key)} bytes, not 32 bytes"))
        else:
            ciphers[key_id] = aes(bytes(key))
    if not keys:
        problems.append(Problem("keyring", "contains no key"))
    elif active is not None and active not in keys:
        problems.append(Problem("active", f"{active!r} is not one of {', '.join(map(str, keys))}"))
    return ciphers, problems


def _parsed(
    cls: type[Keyring], text: Secret, source: str
) -> tuple[Keyring | None, tuple[Problem, ...]]:
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(text.reveal().replace(",", " ").split(), 1):
        key_id, _, encoded = entry.partition("=")
        encoded = encoded.rstrip("=").replace("+", "-").replace("/", "_")  # either alphabet
        try:
            padded = encoded + "=" * (-len(encoded) % 4)
            keys[key_id] = base64.b64decode(padded.encode(), altchars=b"-_", validate=True)
        except ValueError:
            return None, (Problem(source, f"entry {number} is not id=base64 of 32 bytes"),)
    try:
        return cls(keys), ()
    except ConfigurationError as error:
        return None, tuple(Problem(source, str(problem)) for problem in error.problems)


def _bound(key_id: str, name: str) -> bytes:
    return f"{_PREFIX}{key_id}:{name}".encode()


def _aesgcm() -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise ImportError(
            "encrypted values need cryptography: pip install 'shared-config[crypto]'"
        ) from None
    return AESGCM
