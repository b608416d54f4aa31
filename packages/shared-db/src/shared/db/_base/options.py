"""The keyword arguments of `initialize_*`, for editors and type checkers.

At run time further ones are passed on: to libpq, and to the drivers' own clients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.config import ClickHouseURL, PostgresURL, QdrantURL, RedisURL, Secret


class PostgresOptions(TypedDict, total=False):
    """What `initialize_postgres` accepts."""

    url: str | PostgresURL | None
    host: str | None
    hostaddr: str | None
    port: int | str | None
    database: str | None
    user: str | None
    password: str | Secret | None
    min_connections: int
    max_connections: int
    timeout: float
    connect_timeout: float
    max_idle: float
    max_lifetime: float
    pgbouncer: bool
    configure: Callable[[Any], Any] | None
    reset: Callable[[Any], Any] | None
    # libpq's
    conninfo: str
    service: str
    passfile: str
    application_name: str
    options: str
    client_encoding: str
    sslmode: str
    sslrootcert: str
    sslcert: str
    sslkey: str
    sslpassword: str
    sslcrl: str
    ssl_min_protocol_version: str
    channel_binding: str
    require_auth: str
    gssencmode: str
    target_session_attrs: str
    load_balance_hosts: str
    keepalives: int
    keepalives_idle: int
    keepalives_interval: int
    keepalives_count: int
    tcp_user_timeout: int
    # psycopg's
    autocommit: bool
    row_factory: Any
    cursor_factory: Any
    prepare_threshold: int | None


class ClickHouseOptions(TypedDict, total=False):
    """What `initialize_clickhouse` accepts."""

    url: str | ClickHouseURL | None
    host: str | None
    port: int | str | None
    database: str | None
    user: str | None
    password: str | Secret | None
    timeout: float
    connect_timeout: float
    query_timeout: float
    max_connections: int
    # clickhouse-connect's
    dsn: str
    secure: bool | str
    verify: bool | str
    ca_cert: str
    client_cert: str
    client_cert_key: str
    server_host_name: str
    access_token: str
    compress: bool | str
    query_limit: int
    settings: dict[str, Any]
    send_receive_timeout: int
    client_name: str
    http_proxy: str
    https_proxy: str


class QdrantOptions(TypedDict, total=False):
    """What `initialize_qdrant` accepts."""

    url: str | QdrantURL | None
    host: str | None
    port: int | str | None
    api_key: str | Secret | None
    timeout: float
    query_timeout: int
    # qdrant-client's
    location: str
    path: str
    prefix: str
    https: bool
    verify: Any
    grpc_port: int
    prefer_grpc: bool
    metadata: dict[str, str]
    check_compatibility: bool


class RedisOptions(TypedDict, total=False):
    """What `initialize_redis` accepts."""

    url: str | RedisURL | None
    host: str | None
    port: int | str | None
    database: int | str | None
    user: str | None
    password: str | Secret | None
    timeout: float
    connect_timeout: float
    socket_timeout: float
    max_connections: int
    sentinels: Sequence[tuple[str, int]]
    service: str
    # redis-py's
    path: str
    ssl: bool
    ssl_ca_certs: str
    ssl_certfile: str
    ssl_keyfile: str
    ssl_cert_reqs: str
    ssl_check_hostname: bool
    decode_responses: bool
    encoding: str
    encoding_errors: str
    protocol: int
    client_name: str
    health_check_interval: float
    socket_keepalive: bool
    socket_connect_timeout: float
