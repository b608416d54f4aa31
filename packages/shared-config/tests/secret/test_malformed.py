"""A malformed percent sign: refused by us, since drivers show what stands around it."""

from __future__ import annotations

import traceback

import pytest

from shared.config import ConfigurationError, ConfigValidator, PostgresURL, load_settings

URLS = {
    "POSTGRES_URL": "postgresql://app:s3cr%zzet@localhost/db",
    "REDIS_URL": "redis://:s3cr%zzet@localhost/0",
    "CLICKHOUSE_URL": "clickhouse://app:s3cr%zzet@localhost/db",
    "QDRANT_URL": "http://app:s3cr%zzet@localhost",
    "DATABASE_URL": "postgres://app:s3cr%zzet@localhost/db",
}
ENDS = [
    "postgresql://a:s3cr%@h/d",
    "postgresql://a:b@h/d?options=%zs3cr",
    "postgresql://a%2:s3cr@h",
]


@pytest.mark.parametrize("name", URLS)
def test_it_is_refused_without_the_password(name):
    with pytest.raises(ConfigurationError, match="contains a '%' that is not followed by two") as e:
        load_settings(env={name: URLS[name]}, dotenv=None, secrets_dir=None)
    shown = "".join(
        traceback.TracebackException.from_exception(e.value, capture_locals=True).format()
    )
    error: BaseException | None = e.value
    while error is not None:
        shown += str(error) + repr(error)
        error = error.__context__
    assert "s3cr" not in shown


@pytest.mark.parametrize("url", ENDS)
def test_wherever_it_stands(url):
    with pytest.raises(ConfigurationError, match="not followed by two") as caught:
        PostgresURL(url)
    assert "s3cr" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_percent_sign_in_the_parts_is_encoded():
    settings = load_settings(
        env={"POSTGRES_PASSWORD": "s3cr%zzet", "POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": "1"},
        dotenv=None,
        secrets_dir=None,
    )
    assert "s3cr%25zzet" in settings.database.postgres_url.reveal()
    result = ConfigValidator(settings, stores=["postgres"]).validate_services()
    assert "s3cr" not in f"{result}{result!r}{result.to_dict()}"
