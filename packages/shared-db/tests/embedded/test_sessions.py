"""Sessions, settings and formats of the embedded ClickHouse."""

import clickhouse_connect


def test_sessions_and_settings_of_the_embedded_server(clickhouse_store):
    url = clickhouse_store.url
    with clickhouse_connect.get_client(dsn=url, session_id="mine") as client:
        client.command("CREATE TEMPORARY TABLE temp (n Int8)")
        client.command("INSERT INTO temp VALUES (1), (2)")
        assert client.query("SELECT sum(n) FROM temp").result_rows == [(3,)]
        assert client.query(
            "SELECT getSetting('max_threads')", settings={"max_threads": 3}
        ).result_rows == [(3,)]
    with clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False) as client:
        frame = client.query_df("SELECT number AS n, toString(number) AS s FROM numbers(5)")
        assert frame["s"].tolist() == list("01234")
        stream = client.query_rows_stream("SELECT * FROM numbers(70000)")
        with stream as rows:
            assert sum(number for (number,) in rows) == 70000 * 69999 // 2
        assert client.raw_query("SELECT 1, 'a' FORMAT JSONCompact").startswith(b"{")
