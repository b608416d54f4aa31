"""Encrypted values: any text, any key, nothing that was changed, rotation."""

import copy
import pickle
import string
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.config import (
    ConfigurationError,
    Keyring,
    Secret,
    Settings,
    decrypt_config_value,
    encrypt_config_value,
    load_settings,
)

RING = Keyring({"new": bytes(range(32)), "old": bytes(32)}, active="new")


@settings(deadline=None)
@given(st.text(), st.text())
@example("\ud800", "POSTGRES_PASSWORD")
def test_any_text_comes_back_under_any_name(text, name):
    name = name.encode("utf-8", "replace").decode()
    value = encrypt_config_value(text, RING, name=name)
    assert value.startswith("enc:v1:new:")
    assert set(value) <= set(string.ascii_letters + string.digits + "-_=:")
    assert decrypt_config_value(value, RING, name=name) == text
    assert encrypt_config_value(text, RING, name=name) != value  # a new nonce each time


@settings(deadline=None)
@given(st.integers(0, 58), st.sampled_from(string.ascii_letters + "-_:="))
def test_no_changed_value_opens(place, letter):
    value = encrypt_config_value("s3cret", RING, name="A")
    assume(value[place] != letter)
    changed = value[:place] + letter + value[place + 1 :]
    with pytest.raises(ConfigurationError) as caught:
        decrypt_config_value(changed, RING, name="A")
    assert "s3cret" not in str(caught.value)
    assert value[11:] not in str(caught.value)


def test_bits_that_base64_ignores_count():
    value = encrypt_config_value("s3cret", RING, name="A")
    assert value.endswith("==")
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    last = alphabet.index(value[-3])
    for other in range(last & ~15, (last & ~15) + 16):
        changed = f"{value[:-3]}{alphabet[other]}=="
        if changed != value:
            with pytest.raises(ConfigurationError):
                decrypt_config_value(changed, RING, name="A")


def test_the_format_is_aes_256_gcm_with_the_name_bound():
    """Opened by hand: 12 bytes of nonce, then text and tag; prefix, key id and name are bound."""
    import base64

    value = encrypt_config_value("s3cret", RING, name="A")
    raw = base64.urlsafe_b64decode(value.rpartition(":")[2])
    plain = AESGCM(bytes(range(32))).decrypt(raw[:12], raw[12:], b"enc:v1:new:A")
    assert plain == b"s3cret"
    assert len(raw) == 12 + 6 + 16


WRONG = {
    "another name": (RING, "B", "cannot be decrypted with the key 'new'"),
    "no name": (RING, "", "cannot be decrypted with the key 'new'"),
    "another key": (Keyring({"new": bytes(32)}), "A", "cannot be decrypted with the key 'new'"),
    "no such key": (Keyring({"x": bytes(32)}), "A", "which the keyring does not contain"),
}


@pytest.mark.parametrize(("ring", "name", "message"), WRONG.values(), ids=WRONG)
def test_the_wrong_key_or_name(ring, name, message):
    value = encrypt_config_value("s3cret", RING, name="A")
    with pytest.raises(ConfigurationError, match=message) as caught:
        decrypt_config_value(value, ring, name=name)
    assert value[11:30] not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "value", ["", "s3cret", "enc:v2:a:b", "enc:v1::b", "enc:v1:new:!", "enc:v1:new:AA"]
)
def test_what_is_no_encrypted_value(value):
    with pytest.raises(ConfigurationError):
        decrypt_config_value(value, RING)


def test_rotation():
    old = Keyring({"2025": bytes(32)})
    value = encrypt_config_value("s3cret", old, name="A")
    both = Keyring({"2026": bytes(range(32)), "2025": bytes(32)}, active="2026")
    assert decrypt_config_value(value, both, name="A") == "s3cret"
    renewed = encrypt_config_value(decrypt_config_value(value, both, name="A"), both, name="A")
    new = Keyring({"2026": bytes(range(32))})
    assert decrypt_config_value(renewed, new, name="A") == "s3cret"


def test_secrets_in_and_out():
    value = encrypt_config_value(Secret("s3cret"), RING)
    assert decrypt_config_value(Secret(value), RING) == "s3cret"
    with pytest.raises(TypeError, match="a secret must be text, not int"):
        encrypt_config_value(5, RING)  # type: ignore[arg-type]


BAD_RINGS = [
    ({}, None, "contains no key"),
    ({"a": b"short"}, None, "key 'a': is 5 bytes, not 32 bytes"),
    ({"a": "x" * 32}, None, "key 'a': is 32 bytes, not 32 bytes|key 'a': is .*"),
    ({"a b": bytes(32)}, None, "a key id is 1 to 64 letters"),
    ({"a": bytes(32)}, "b", "active: 'b' is not one of a"),
]


@pytest.mark.parametrize(("keys", "active", "message"), BAD_RINGS)
def test_a_malformed_keyring(keys, active, message):
    with pytest.raises(ConfigurationError, match=message):
        Keyring(keys, active=active)


def test_a_keyring_gives_no_key_away():
    key = b"k" * 32
    ring = Keyring({"a": key})
    shown = repr(ring) + str(ring) + repr(ring._ciphers)
    assert "kkkk" not in shown
    assert repr(ring) == "Keyring(a; active='a')"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(ring)
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy(ring)


def test_from_the_environment_or_a_file(tmp_path):
    first, second = Keyring.generate("k1"), Keyring.generate("k2")
    ring = Keyring.from_env({"CONFIG_KEYRING": f"{first}, {second}"})
    assert (ring.active, "k2" in ring, "k3" in ring) == ("k1", True, False)
    (tmp_path / "ring").write_text(f"{second}\n{first}\n")
    again = Keyring.from_env({"CONFIG_KEYRING_FILE": str(tmp_path / "ring")})
    assert again.active == "k2"
    value = encrypt_config_value("x", ring, name="A")
    assert decrypt_config_value(value, again, name="A") == "x"
    with pytest.raises(ConfigurationError, match="CONFIG_KEYRING: is required and not set"):
        Keyring.from_env({})
    for text in ("k1", "k1=!!", "k1=AAAA", "=AAAA"):
        with pytest.raises(ConfigurationError):
            Keyring.from_env({"CONFIG_KEYRING": text})


def test_standard_base64_is_read_too():
    import base64

    key = bytes(255 - n for n in range(32))  # has + and / in the standard alphabet
    ring = Keyring.parse(f"k={base64.b64encode(key).decode()}")
    value = encrypt_config_value("x", ring)
    assert decrypt_config_value(value, Keyring({"k": key})) == "x"


def test_settings_decrypt_by_themselves(tmp_path):
    class App(Settings):
        api_token: Secret | None = None

    text = Keyring.generate("k1")
    ring = Keyring.parse(text)
    env = {
        "POSTGRES_PASSWORD": encrypt_config_value("pa@ss", ring, name="POSTGRES_PASSWORD"),
        "REDIS_URL": encrypt_config_value("redis://:p@h", ring, name="REDIS_URL"),
        "CONFIG_KEYRING_FILE": str(tmp_path / "ring"),
    }
    (tmp_path / "ring").write_text(text)
    (tmp_path / "API_TOKEN").write_text(encrypt_config_value("t", ring, name="API_TOKEN") + "\n")
    app = load_settings(App, env=env, dotenv=None, secrets_dir=tmp_path)
    assert app.database.postgres_password == Secret("pa@ss")
    assert app.database.redis_url.reveal() == "redis://:p@h"
    assert app.api_token == Secret("t")


def test_the_prefix_alone_is_a_password_as_any_other():
    settings = load_settings(env={"POSTGRES_PASSWORD": "enc:v1:"}, dotenv=None)
    assert settings.database.postgres_password == Secret("enc:v1:")


def test_without_cryptography_the_error_names_the_extra():
    script = """
import sys
sys.modules["cryptography"] = None
from shared.config import ConfigurationError, Keyring, load_settings
try:
    Keyring({"a": bytes(32)})
except ImportError as error:
    print(error)
try:
    env = {"POSTGRES_PASSWORD": "enc:v1:a:AAAA", "CONFIG_KEYRING": "a=" + "A" * 43}
    load_settings(env=env, dotenv=None)
except ConfigurationError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("pip install 'shared-config[crypto]'" in line for line in lines)
    assert lines[1].startswith("POSTGRES_PASSWORD: ")
