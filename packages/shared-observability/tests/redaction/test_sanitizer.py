"""A corpus of secrets, and of words that must survive."""

import re
import types

import pytest

from shared.observability import (
    Sanitizer,
    configure_logging,
)

NEEDLE = "s3cr3tNEEDLE9"


SECRET_KEYS = [
    "password",
    "passwd",
    "pwd",
    "db_password",
    "PGPASSWORD",
    "userPassword",
    "password2",
    "secret",
    "client_secret",
    "clientSecret",
    "token",
    "access_token",
    "accessToken",
    "refresh-token",
    "authToken",
    "csrf_token",
    "Authorization",
    "Proxy-Authorization",
    "api_key",
    "apiKey",
    "API-KEY",
    "x-api-key",
    "apikey",
    "secret_key",
    "private_key",
    "signing_key",
    "encryption_key",
    "Cookie",
    "Set-Cookie",
    "session_id",
    "sessionid",
    "credential",
    "credentials",
    "passphrase",
    "jwt",
    "aws_secret_access_key",
    "AccountKey",
    "connection_string",
    "tokens",
    "passwords",
    "secrets",
    "pass",
    "auth",
    "cvv",
    "otp",
    "X-Auth-Token",
    "dbpassword",
    "oauth_token",
    "ssn",
    "card_number",
    "master_key",
]


PLAIN_KEYS = [
    "author",
    "authority",
    "token_count",
    "max_tokens_limit",
    "tokenizer",
    "secretary",
    "password_policy",
    "password_length",
    "token_type",
    "cache_key",
    "public_key",
    "primary_key",
    "key",
    "keyboard",
    "monkey",
    "compass",
    "passenger",
    "pass_rate",
    "auth_method",
    "cookie_count",
    "session_count",
    "user",
    "name",
    "bypass_total",
    "tokens_used",
    "secret_name",
    "password_changed_at",
    "description",
    "id",
    "pinned",
    "spin",
    "assassin",
    "author_id",
    "credential_type",
]


SECRET_TEXTS = [
    f"password={NEEDLE}",
    f"password: {NEEDLE}",
    f"PASSWORD = {NEEDLE}",
    f"pwd={NEEDLE};Database=x",
    f"token={NEEDLE}&page=2",
    f"ValueError: token={NEEDLE}",
    f'{{"api_key": "{NEEDLE}", "author": "ada"}}',
    f"{{'password': '{NEEDLE}', 'a': 1}}",
    f'{{\\"password\\": \\"{NEEDLE}\\"}}',
    f"OrderedDict(password='{NEEDLE}')",
    f"https://user:{NEEDLE}@example.com/path",
    f"postgresql://user:{NEEDLE}@host:5432/db?sslmode=require",
    f"postgresql+asyncpg://user:p@ss{NEEDLE}@host/db",
    f"redis://:{NEEDLE}@localhost:6379/0",
    f"amqps://u:{NEEDLE}/x@host",
    f"mongodb://u:{NEEDLE}@h1:1,h2:2/db",
    f"dsn=mysql://root:{NEEDLE}@db/x",
    f"GET /cb?code=1&access_token={NEEDLE}&state=2",
    f"https://x.com/?api-key={NEEDLE}",
    f"Authorization: Bearer {NEEDLE}",
    f"authorization: bearer {NEEDLE}",
    f"Bearer {NEEDLE}",
    f"sent 'Bearer {NEEDLE}' to server",
    f"Authorization: Digest username=x, response={NEEDLE}",
    f"Proxy-Authorization: Negotiate {NEEDLE}",
    f"Cookie: theme=dark; sid={NEEDLE}",
    f"Set-Cookie: sid={NEEDLE}; HttpOnly",
    f"X-Api-Key: {NEEDLE}",
    f"--password {NEEDLE} --verbose",
    f"--api-key={NEEDLE}",
    f"export AWS_SECRET_ACCESS_KEY={NEEDLE}",
    f"client_secret => {NEEDLE}",
    f"AccountName=x;AccountKey={NEEDLE}==;EndpointSuffix=y",
    f"-----BEGIN RSA PRIVATE KEY-----\n{NEEDLE}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\n{NEEDLE}",
    f"https://{NEEDLE}{NEEDLE}@github.com/org/repo",
    f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx{NEEDLE}.abc",
    f"ghp_{NEEDLE}{NEEDLE}",
    f"github_pat_{NEEDLE}{NEEDLE}",
    f"xoxb-{NEEDLE}-123",
    f"sk-{NEEDLE}{NEEDLE}",
    f"sk_live_{NEEDLE}",
    f"glpat-{NEEDLE}{NEEDLE}",
    f"a password={NEEDLE}\nanother token={NEEDLE}",
    f'user=ada password="two words {NEEDLE}" x=1',
]


HARMLESS_TEXTS = [
    "token_count=5 author=ada",
    "the bearer of good news",
    "basic authentication required",
    "Basic English",
    "WWW-Authenticate: Bearer realm=x".replace("realm=x", "realm"),
    "https://example.com:8080/users/me@example.com",
    "http://localhost:9090/metrics?page=2&author=ada",
    "mail ada@example.com",
    "key=value a:b c=d",
    "task-risk-ask-1234567890",
    "ratio 1:2, at 10:30:00",
    "the password policy changed",
    "password_length=12",
    "public_key=abc",
    "--verbose --output file",
    "tokens=512",
    "C:\\path\\file.txt",
    "2026-01-01T00:00:00Z",
    "compass: north",
    "assassin's creed",
]


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_secret_keys(key):
    clean = Sanitizer().clean({key: NEEDLE, "list": [{key: [NEEDLE]}]})
    assert NEEDLE not in repr(clean)
    assert clean[key] == "[REDACTED]"


@pytest.mark.parametrize("key", PLAIN_KEYS)
def test_plain_keys_survive(key):
    for value in (5, "word", [1], {"a": "b"}):
        assert Sanitizer().clean({key: value}) == {key: value}


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_secret_texts(text):
    clean = Sanitizer().clean(text)
    assert NEEDLE not in clean
    assert "s3cr" not in clean
    assert "[REDACTED]" in clean
    assert Sanitizer().clean(clean) == clean, "cleaning twice changes nothing"


@pytest.mark.parametrize("text", HARMLESS_TEXTS)
def test_harmless_texts_survive(text):
    assert Sanitizer().clean(text) == text
    assert Sanitizer().clean({"note": [text]}) == {"note": [text]}


def test_pairs_as_in_lists_of_headers():
    headers = [
        ("Cookie", NEEDLE),
        (b"authorization", NEEDLE.encode()),
        ("accept", "x"),
        ("token", 5),
    ]
    for clean in (Sanitizer().clean(headers), Sanitizer().jsonable({"headers": headers})):
        assert NEEDLE not in repr(clean)
        assert "accept" in repr(clean)
    assert Sanitizer().clean(["token", "cache"]) == ["token", "cache"]


def test_the_marker_reveals_nothing():
    clean = Sanitizer().clean
    markers = {
        clean({"password": value})["password"] for value in ("a", "b" * 100, 5, None, [1, 2])
    }
    assert markers == {"[REDACTED]"}


def test_clean_keeps_types_and_the_original():
    point = types.SimpleNamespace(x=1)
    value = {"t": (1, "a"), "s": {1, 2}, "p": point, 3: b"x", "raw": b"password=abc"}
    clean = Sanitizer().clean(value)
    assert clean == {"t": (1, "a"), "s": {1, 2}, "p": point, 3: b"x", "raw": b"password=[REDACTED]"}
    assert clean is not value
    assert value["raw"] == b"password=abc"


@pytest.mark.parametrize("bad", [{"keys": "password"}, {"patterns": "x"}, {"safe_keys": "x"}])
def test_one_string_is_not_a_collection(bad):
    with pytest.raises(TypeError, match=next(iter(bad))):
        Sanitizer(**bad)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"patterns must be regular expressions .*, not '\('"):
        Sanitizer(patterns=["("])
    with pytest.raises(TypeError, match="redact"):
        configure_logging(redact="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "piece", ["password", "a=", "http://", "eyJ.", "a:b", '"', "'x", "--a ", "bearer ", "\\"]
)
def test_a_long_hostile_text_costs_little(piece):
    """However long a text is, the patterns search 16,384 characters of it and the cut's marker."""
    sanitizer, searched = Sanitizer(), []
    scrub = sanitizer._scrub

    def watched(text):
        searched.append(len(text))
        return scrub(text)

    sanitizer._scrub = watched
    clean = sanitizer.clean([piece * 100_000])[0]
    assert re.search(r"\.\.\.\[cut \d+ characters\]$", clean)
    assert searched == [len(f"...[cut {len(piece) * 100_000 - 16_384} characters]") + 16_384]
    assert piece * 100_000 not in sanitizer.texts, "long texts must not fill the cache"
