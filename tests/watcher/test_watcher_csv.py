"""A user's file: whatever is in it, good rows come through exactly and bad ones are named."""

import numpy as np
import pytest
from examples.watcher.sources.csv_file import CsvError, CsvSeries


def read(path, **options):
    series = CsvSeries(path, "t", "v", **options)
    chunks = list(series.chunks())
    times = np.concatenate([c[0] for c in chunks]) if chunks else np.array([], dtype=np.int64)
    values = np.concatenate([c[1] for c in chunks]) if chunks else np.array([])
    return series, times.tolist(), values.tolist()


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", SECOND),
        ("1970-01-01 00:00:01", SECOND),
        ("1970-01-01T01:00:01+01:00", SECOND),
        ("1970-01-02", 86_400 * SECOND),
        ("01/02/1970", 86_400 * SECOND),
        ("1700000000", 1_700_000_000 * SECOND),
        ("1700000000.5", 1_700_000_000 * SECOND + SECOND // 2),
        ("1700000000123", 1_700_000_000_123_000_000),
        ("1700000000123456", 1_700_000_000_123_456_000),
        ("1700000000123456789", 1_700_000_000_123_456_789),
    ],
)
def test_times_in_every_common_form(file, text, expected):
    _, times, values = read(file(f"t,v\n{text},2.5\n"))
    assert (times, values) == ([expected], [2.5])


def test_bad_rows_are_counted_and_named_and_the_rest_comes_through(file):
    path = file(
        b"t,x,v\n"
        b"2024-01-01T00:00:00Z,a,1\n"
        b"yesterday,a,2\n"
        b"2024-01-01T00:00:02Z,a,three\n"
        b"2024-01-01T00:00:03Z,a\n"
        b"\n"
        b"2024-01-01T00:00:05Z,a,nan\n"
        b"2024-01-01T00:00:06Z,\xff\x00,6\n"
        b'2024-01-01T00:00:07Z,"two\nlines",7\n'
        b"2024-01-01T00:00:08Z,a,8,extra\n"
    )
    series, _, values = read(path)
    assert values == [1.0, 6.0, 7.0, 8.0]
    assert series.bad.count == 4
    assert series.bad.first == [
        "line 5: 2 fields, 3 needed",
        "line 3: t 'yesterday' is no time",
        "line 4: v 'three' is no number",
        "line 7: v 'nan' is no number",
    ]


def test_a_spoiled_epoch_column_stays_an_epoch_column(file):
    series, times, _ = read(file("t,v\n1700000000,1\noops,2\n1700000002,3\n"))
    assert [t // SECOND for t in times] == [1_700_000_000, 1_700_000_002]
    assert series.bad.first == ["line 3: t 'oops' is no time"]


def test_chunks_bound_the_memory_and_lose_nothing(file):
    rows = "".join(f"{1_700_000_000 + i},{i}\n" for i in range(1_003))
    path = file("t,v\n" + rows)
    sizes = [len(v) for _, v in CsvSeries(path, "t", "v", chunk_rows=100).chunks()]
    assert sizes == [100] * 10 + [3]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_other_delimiters_and_a_byte_order_mark(file, delimiter):
    text = "\ufefft,v\n2024-01-01,1\n".replace(",", delimiter)
    _, _, values = read(file(text))
    assert values == [1.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("a,b\n1,2\n", "--time t: .* has no such column; it has a, b"),
        ("t,b\n1,2\n", "--value v: .* has no such column; it has t, b"),
    ],
)
def test_an_unusable_file_is_one_clear_sentence(file, content, message):
    with pytest.raises(CsvError, match=message):
        CsvSeries(file(content), "t", "v").check()


def test_a_missing_file_names_itself(tmp_path):
    with pytest.raises(CsvError, match=r"none\.csv: No such file"):
        CsvSeries(tmp_path / "none.csv", "t", "v").check()
