"""The test server adds nothing: its bytes and errors are chDB's own."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import chdb
import clickhouse_connect
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.backends.made import HOSTILE
from tests.backends.stores import serving

FORMATS = ("Native", "TabSeparated", "JSONCompact", "RowBinaryWithNamesAndTypes", "CSV")
TYPES = """SELECT toInt64(number) AS a, toString(number) AS b, toLowCardinality(b) AS c, toInt256(number) AS d,
if(number % 2 = 0, NULL, number) AS e, [number] AS f, map(toUInt32(number), toUInt64(number)) AS g,
toFixedString('x', 4) AS h FROM numbers(1000)"""
WRONG = (
    "SELECT * FROM nowhere",
    "SELEC 1",
    "SELECT throwIf(1, 'é')",
    "SELECT {nothing:Int64}",
    "SELECT toInt64('a')",
    "SELECT 1 SETTINGS nothing_like_it = 1",
)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    handle = chdb.connect(":memory:")
    yield handle
    handle.close()


def post(port: int, body: bytes, **values: str) -> tuple[int, bytes, Any]:
    request = Request(f"http://127.0.0.1:{port}/?{urlencode(values)}", body)
    try:
        with urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers
    except HTTPError as error:
        return error.code, error.read(), error.headers


def quietly(body: bytes) -> bytes:
    """A body without what no two runs have in common."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    value.pop("statistics", None)
    return json.dumps(value).encode()


@pytest.mark.parametrize("name", FORMATS)
def test_an_answer_has_the_bytes_that_chdb_gives(port: int, engine: Any, name: str) -> None:
    sql = f"{TYPES} FORMAT {name}"

    assert quietly(post(port, sql.encode())[1]) == quietly(engine.query(sql, "TabSeparated").bytes())
    assert quietly(post(port, TYPES.encode(), default_format=name)[1]) == quietly(engine.query(TYPES, name).bytes())


@pytest.mark.parametrize("sql", WRONG)
def test_an_error_has_the_words_and_the_code_that_chdb_gives(port: int, engine: Any, sql: str) -> None:
    with pytest.raises(Exception, match="Code: ") as caught:
        engine.query(sql, "TabSeparated")
    status, body, headers = post(port, sql.encode())

    assert status == 500
    assert body.decode() == f"{caught.value}\n"
    assert f"Code: {headers['X-ClickHouse-Exception-Code']}." in body.decode()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]))))
def test_bound_values_and_rows_come_through_as_they_are(port: int, text: str) -> None:
    client = clickhouse_connect.get_client(host="127.0.0.1", port=port)
    try:
        assert client.query("SELECT {p:String}, {q:Array(String)}", {"p": text, "q": [text]}).result_rows == [
            (text, [text])
        ]
    finally:
        client.close()


def test_inserts_commands_external_tables_and_settings_are_handed_on(port: int) -> None:
    from clickhouse_connect.driver.exceptions import DatabaseError
    from clickhouse_connect.driver.external import ExternalData

    client = clickhouse_connect.get_client(host="127.0.0.1", port=port, autogenerate_session_id=False)
    client.command("CREATE DATABASE handed ENGINE = Atomic")
    client.database = "handed"
    client.command("CREATE TABLE t (a Int64, s String) ENGINE = MergeTree ORDER BY a")
    client.insert("t", [[1, "x"], [2, "tab\t\n\0"], [3, "an empty line\n\n;"]], column_names=["a", "s"])
    wanted = ExternalData(file_name="wanted", data=b"2\n", fmt="TabSeparated", structure="a Int64")

    asked = "SELECT s, getSetting('max_threads') FROM t WHERE a IN (SELECT a FROM wanted)"
    assert client.query(asked, external_data=wanted, settings={"max_threads": 3}).result_rows == [("tab\t\n\0", 3)]
    assert client.query("SELECT s FROM t ORDER BY a").result_rows == [("x",), ("tab\t\n\0",), ("an empty line\n\n;",)]
    with pytest.raises(DatabaseError) as caught:
        client.query("DROP TABLE t", settings={"readonly": 1})
    assert caught.value.code == 164
    client.command("DROP DATABASE handed SYNC")
    client.close()


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_a_large_insert_comes_whole_however_it_is_compressed(port: int, compress: str | bool) -> None:
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=port, autogenerate_session_id=False, compress=compress
    )
    client.command("CREATE OR REPLACE TABLE default.large (a Int64, s String) ENGINE = MergeTree ORDER BY a")
    numbers = list(range(20_000))
    client.insert("default.large", [numbers, [f"{n}\n\n" * 20 for n in numbers]], column_names=["a", "s"],
                  column_oriented=True)  # fmt: skip

    assert client.query("SELECT count(), sum(a), sum(length(s) > 40) FROM default.large").result_rows == [
        (20_000, sum(numbers), 20_000)
    ]
    client.close()


def test_a_get_can_only_read(port: int) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(f"http://127.0.0.1:{port}/?{urlencode({'query': 'CREATE DATABASE x'})}")

    assert caught.value.headers["X-ClickHouse-Exception-Code"] == "164"
    caught.value.close()
    assert urlopen(f"http://127.0.0.1:{port}/ping").read() == b"Ok.\n"
