"""The URLs of the four stores."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from .urls import SecretURL, is_local

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ClickHouseURL", "PostgresURL", "QdrantURL", "RedisURL"]


class PostgresURL(SecretURL):
    """`postgresql://user:password@host:5432/database?sslmode=verify-full`."""

    __slots__ = ()
    schemes: ClassVar[Mapping[str, str]] = {"postgresql": "postgresql", "postgres": "postgresql"}
    default_port = 5432
    shape = "postgresql://user:password@host:port/database"

    @property
    def encrypted(self) -> bool:
        """Whether `sslmode` insists on TLS: libpq's default falls back to plain text."""
        return self.options.get("sslmode") in {"require", "verify-ca", "verify-full"}


class RedisURL(SecretURL):
    """`redis://:password@host:6379/0`, `rediss://` for TLS, `unix:///socket`."""

    __slots__ = ()
    schemes: ClassVar[Mapping[str, str]] = {
        "redis": "redis",
        "rediss": "rediss",
        "unix": "unix",
        "valkey": "redis",
        "valkeys": "rediss",
    }
    default_port = 6379
    shape = "redis://user:password@host:port/number (rediss:// for TLS, unix:///socket)"
    shows_user = False  # redis://password@host is a common mistake: that is not a user

    def _parse(self, raw: str) -> None:
        super()._parse(raw)
        number = self.options.get("db", None if self.scheme == "unix" else self.database)
        if number is not None and not re.fullmatch(r"[0-9]{1,9}", number):
            raise self._bad("has a database that is not a whole number")
        if self.scheme == "unix":
            self._set(host=f"/{self.database or ''}")
        self._set(database=number)

    @property
    def local(self) -> bool:
        """Whether the store is on this machine."""
        return self.scheme == "unix" or is_local(self.host)

    @property
    def encrypted(self) -> bool:
        """Whether the scheme is `rediss`."""
        return self.scheme == "rediss"


class ClickHouseURL(SecretURL):
    """`clickhouse://user:password@host:8123/database`, `chdb://memory`, `chdb:///path`."""

    __slots__ = ()
    schemes: ClassVar[Mapping[str, str]] = {
        name: name
        for name in ("clickhouse", "clickhouses", "clickhousedb", "http", "https", "chdb")
    }
    default_port = 8123
    shape = "clickhouse://user:password@host:port/database, chdb://memory or chdb:///path"

    def _parse(self, raw: str) -> None:
        super()._parse(raw)
        if self.embedded:  # chdb://memory/database, chdb:///path
            self._set(host=None, port=None, database=self.database if self.host else None)

    @property
    def embedded(self) -> bool:
        """Whether the engine runs in this process."""
        return self.scheme == "chdb"

    @property
    def encrypted(self) -> bool:
        """Whether the scheme, the `secure` option or the port implies TLS."""
        return (
            self.embedded
            or self.scheme in {"clickhouses", "https"}
            or self.options.get("secure", "").lower() in {"true", "1"}
            or self.options.get("interface") == "https"
            or self.port in {443, 8443}
        )


class QdrantURL(SecretURL):
    """`http://host:6333`, `https://...`, `:memory:`, `path:/folder`."""

    __slots__ = ()
    schemes: ClassVar[Mapping[str, str]] = {"http": "http", "https": "https"}
    default_port = 6333
    shape = "http://host:port, https://host:port, :memory: or path:/folder"
    shows_user = False

    def _parse(self, raw: str) -> None:
        if raw == ":memory:" or (raw.startswith("path:") and len(raw) > len("path:")):
            self._set(scheme=raw.partition(":")[0], host=None, port=None, user=None, password=None)
            self._set(database=None, options={}, _masked=raw)
        else:
            super()._parse(raw)

    @property
    def embedded(self) -> bool:
        """Whether the store runs in this process."""
        return self.scheme not in self.schemes

    @property
    def encrypted(self) -> bool:
        """Whether the scheme is `https`."""
        return self.embedded or self.scheme == "https"
