"""Secrets are gone from every place of a line."""

import logging
import types
from collections import OrderedDict

import pytest

from shared.observability import (
    Sanitizer,
    bind,
    configure_logging,
    get_logger,
    log_context,
)

NEEDLE = "s3cr3tNEEDLE9"


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


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_every_place(new_lines, text):
    def fail():
        raise ValueError(text)

    for shape in ("json", "text"):
        stream = new_lines()
        configure_logging(format=shape, output=stream)
        log, std = get_logger("x"), logging.getLogger("lib")
        log.info(text)
        log.info("m %s", text)
        log.info("m", field=text, nested={"a": [text, (text,)], text: 1}, raw=text.encode())
        log.bind(bound=text).info("m")
        with log_context(context=[text]):
            log.info("m")
        std.info("m %s", text)
        std.info("m %s %s", {"note": text}, [text])
        std.info("m %(note)s", {"note": text})
        std.info(text, extra={"field": text})
        try:
            try:
                fail()
            except ValueError as error:
                error.add_note(text)
                raise KeyError(text) from error
        except KeyError as error:
            log.exception("m", error=error)
            std.exception("m")
        assert NEEDLE not in stream.getvalue()
        assert stream.getvalue().count("\n") == 11


def test_keys_in_every_place(new_lines):
    stream = new_lines()
    configure_logging(output=stream)
    fields = {"password": NEEDLE, "user": {"api_key": NEEDLE, "name": "ada"}, "token_count": 5}
    log = get_logger("x")
    log.info("m", **fields)
    log.info("m", items=[fields, OrderedDict(fields), types.MappingProxyType(fields)])
    log.bind(**fields).info("m")
    with log_context(**fields):
        log.info("m")
    logging.getLogger("x").info("m", extra=fields)
    logging.getLogger("x").info("m %s", fields)
    logging.getLogger("x").info("m %(password)s", fields)
    assert NEEDLE not in stream.getvalue()
    assert stream.getvalue().count('"token_count":5') == 7
    assert fields["password"] == NEEDLE


def test_own_keys_patterns_and_safe_keys(new_lines):
    stream = new_lines()
    own = Sanitizer(keys=["Badge-No"], patterns=[r"\bEMP-(\d+)", r"tag\d+"], safe_keys=["token"])
    configure_logging(output=stream, redact=own)
    get_logger("x").info("EMP-123 tag7", badge_no=5, token="kept", note="badge-no=77", password="p")
    line = stream.last()
    assert line["message"] == "EMP-[REDACTED] [REDACTED]"
    assert (line["badge_no"], line["token"], line["password"]) == (
        "[REDACTED]",
        "kept",
        "[REDACTED]",
    )
    assert line["note"] == "badge-no=[REDACTED]"


def test_redact_can_be_off_and_changed(new_lines):
    stream = new_lines()
    bind(password="p")
    configure_logging(output=stream, redact=False)
    get_logger("x").info("m", token="t")
    configure_logging(output=stream, redact=True)
    get_logger("x").info("m", token="t")
    off, on = stream.records()
    assert (off["password"], off["token"]) == ("p", "t")
    assert (on["password"], on["token"]) == ("[REDACTED]", "[REDACTED]")
