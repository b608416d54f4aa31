"""Public test vectors, each with its source, licence and count in its file."""

import json
from pathlib import Path

import pytest

from shared.validation import from_json_schema, is_email, is_hostname, is_ip, is_url

FOLDER = Path(__file__).parent.parent / "vectors"


def cases(name):
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert document["source"].startswith("https://github.com/")
    assert document["licence"]
    return document["count"], document["cases"]


def test_the_counts():
    counts = {path.stem: cases(path.stem) for path in FOLDER.glob("*.json")}
    assert {name: count for name, (count, _) in counts.items()} == {
        "emails": 164,
        "formats": 424,
        "idna": 268,
        "json_schema": 971,
        "toascii": 87,
        "urls": 555,
    }
    for name, (count, listed) in counts.items():
        found = sum(len(tests) for _, _, tests in listed) if name == "json_schema" else len(listed)
        assert found == count, name


# isemail, 164 addresses: what is valid in its strictest category passes, with its own DNS warnings
# ignored; what it calls deprecated, or valid only inside a header, does not.


def test_addresses_of_isemail():
    wrong = []
    for address, category, _ in cases("emails")[1]:
        expected = category in {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN"}
        if address == "test@io":  # no mail host without a dot
            expected = False
        if is_email(address) is not expected:
            wrong.append((address, category))
    assert wrong == []


def test_quoted_and_literal_addresses_of_isemail_if_asked():
    rule = is_email(quoted_local=True, literal=True)
    passed = [
        category
        for address, category, _ in cases("emails")[1]
        if rule(address) and not is_email(address)
    ]
    assert passed.count("ISEMAIL_RFC5321") == 12
    # One IPv6 literal that RFC 5952 writes shorter, and one quoted letter of RFC 6531.
    assert sorted(set(passed)) == ["ISEMAIL_DEPREC", "ISEMAIL_ERR", "ISEMAIL_RFC5321"]
    assert len(passed) == 14


# web-platform-tests, 555 URLs. None that the standard refuses may pass; of those it reads, the ones
# it must not repair pass.
ANY_URL = is_url(schemes=None, dotless=True, credentials=True, max_length=10_000)
REPAIRED = (
    "\t",
    "\n",
    "\r",
    "\\",
    " ",
    "\x00",
    "<",
    ">",
    '"',
    "`",
    "\x7f",
    "\u202e",
    "\x08",
    "\x1b",
)


def test_urls_that_the_standard_refuses():
    refused = [url for url, parsed in cases("urls")[1] if parsed is None]
    assert len(refused) == 205
    assert [url for url in refused if ANY_URL(url)] == []


def test_urls_that_the_standard_reads():
    read = [
        (url, parsed) for url, parsed in cases("urls")[1] if parsed is not None and "://" in url
    ]
    strict = [url for url, _ in read if not ANY_URL(url)]
    assert (len(read), len(strict)) == (252, 79)
    others = [
        url
        for url in strict
        if not any(character in url for character in (*REPAIRED, "%"))
        and url.partition("://")[0].isalpha()
    ]
    # Numbers that are not four decimals, hosts of dots or none at all, and a drive letter.
    assert [url[:20] for url in others] == [
        "http://192.0x00A8000", "http://./", "http://../", "https://0x.0x.0",
        "https://0x.0x.0x.0x", "https://00.00.00.00", "https://000000000000", "file://C|/",
        "sc://?", "sc://#", "http://foo.09..", "data:///test", "javascript:///test",
        "mailto:///test", "intent:///test", "urn:///test", "turn:///test", "stun:///test",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["toascii", "idna"])
def test_international_hosts(name):
    passed = 0
    for host, expected in cases(name)[1]:
        got = is_url(f"https://{host}/x", dotless=True, max_length=10_000)
        passed += got
        assert expected or not got, host
        if expected and not got:
            # Stricter: empty and too long labels, and what the standard folds away.
            labels = expected.removesuffix(".").split(".")
            assert (
                not all(0 < len(label) <= 63 for label in labels)
                or len(expected) > 253
                or any(c in host for c in "<>\xad\u180c\u034f\u200b\u2064\ufe05")
            ), (host, expected)
    assert passed == {"toascii": 56, "idna": 130}[name]


FORMATS = {
    "email": is_email(quoted_local=True, literal=True),
    "idn-email": is_email(quoted_local=True, literal=True),
    "hostname": is_hostname(idn=False),
    "idn-hostname": is_hostname,
    "ipv4": is_ip(version=4),
    "ipv6": is_ip(version=6, zone=False),
}
# What mail systems do not take: control characters and noncharacters.
UNUSUAL = {("idn-email", "\x85@example.com"), ("idn-email", "\uffff@example.com")}


def test_formats_of_the_json_schema_suite():
    wrong = []
    for name, value, expected in cases("formats")[1]:
        rule = from_json_schema({"format": name})
        if rule(value) is not expected and (name, value) not in UNUSUAL:
            wrong.append((name, value, expected))
        if isinstance(value, str) and name in FORMATS:
            assert FORMATS[name](value) is rule(value)
    assert wrong == []
