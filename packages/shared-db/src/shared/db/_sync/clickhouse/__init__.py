"""ClickHouse through clickhouse-connect."""
