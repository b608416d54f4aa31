"""The same functions inside ClickHouse."""
