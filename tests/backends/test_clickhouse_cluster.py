"""Tables spread over a cluster: what is created, where rows go, and that statements mean the same there.

chDB has no Keeper: ON CLUSTER and replication are tested as text. Everything else runs on a cluster of one shard.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_connect.driver.httpclient import HttpClient

from backends.clickhouse.address import Address
from backends.clickhouse.ddl import SHARDED_BY, Layout, add_missing, create, create_all, create_database
from backends.clickhouse.server import CLUSTER_WRITING, drop, open_clickhouse
from backends.tables import CLAIMS, FACTS, FACTS_MINUTE, RAW, TABLES, WANTED
from tests.backends import crash
from tests.backends.stores import closing, serving, wait

LAYOUT = Layout(True, "main", "naap")
SPREAD = [table for table in TABLES if table is not WANTED]
CONFIG = """<clickhouse><tcp_port>9000</tcp_port><remote_servers><one><shard>
<internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>9000</port></replica>
</shard></one></remote_servers></clickhouse>"""
KEEPER = (" ON CLUSTER `one`", "Replicated")


def test_each_table_is_a_replicated_one_on_every_node_and_a_distributed_one_over_them() -> None:
    kept, spread = create(CLAIMS, LAYOUT)

    assert kept == (
        "CREATE TABLE IF NOT EXISTS `claims_local` ON CLUSTER `main` (`source` LowCardinality(String), "
        "`place` String, `at_ms` Int64, `wallet` String, `id` String, `ver` UInt64, `deleted` UInt8) "
        "ENGINE = ReplicatedReplacingMergeTree(ver, deleted) ORDER BY (`source`, `place`, `at_ms`, `id`, `wallet`) "
        "SETTINGS index_granularity = 1024"
    )
    assert spread == (
        "CREATE TABLE IF NOT EXISTS `claims` ON CLUSTER `main` AS `claims_local` "
        "ENGINE = Distributed(`main`, `naap`, `claims_local`, cityHash64(place))"
    )
    assert create_database(LAYOUT) == "CREATE DATABASE IF NOT EXISTS `naap` ON CLUSTER `main` ENGINE = Atomic"
    assert len(create_all(LAYOUT)) == 2 * len(SPREAD)


def test_an_older_cluster_gains_new_columns_in_both_tables() -> None:
    present = {
        (f"{table.name}{end}", field.name) for table in SPREAD for field in table.every for end in ("", "_local")
    }

    assert add_missing(present, LAYOUT) == []
    missing = {("facts", "fees_wei"), ("facts_local", "fees_wei")}
    assert add_missing(present - missing, LAYOUT) == [
        f"ALTER TABLE `{name}` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `fees_wei` Nullable(Int256)"
        for name in ("facts_local", "facts")
    ]


@pytest.mark.parametrize("table", SPREAD, ids=lambda table: table.name)
def test_a_replacement_meets_what_it_replaces(table: Any) -> None:
    """Where a row goes depends on its key alone: the same key never lies on two shards."""
    words = set(re.findall(r"[a-z_]+", re.sub(r"'[^']*'", "", SHARDED_BY.get(table.name, "")))) - {"if"}

    assert words <= set(table.key)


def test_the_facts_of_a_session_lie_together() -> None:
    assert {SHARDED_BY[name] for name in ("facts", "sightings", "sessions")} == {"owner"}
    assert SHARDED_BY[RAW.name].endswith("owner)")
    assert "cityHash64(owner)" in create(FACTS, LAYOUT)[1]
    assert "cityHash64(`bucket_ms`, `source`" in create(FACTS_MINUTE, LAYOUT)[1]


def test_a_shard_that_is_away_is_an_error_and_never_a_part_of_a_sum() -> None:
    assert CLUSTER_WRITING["skip_unavailable_shards"] == 0
    assert CLUSTER_WRITING["insert_distributed_sync"] == 1


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    config = tmp_path_factory.mktemp("cluster") / "config.xml"
    config.write_text(CONFIG)
    with serving(f":memory:?config-file={config}") as found:
        yield found


@pytest.fixture
def without_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out of statements what needs a Keeper."""
    command = HttpClient.command

    def lesser(self: HttpClient, cmd: str, **others: Any) -> Any:
        for word in KEEPER:
            cmd = cmd.replace(word, "")
        return command(self, cmd, **others)

    monkeypatch.setattr(HttpClient, "command", lesser)


@pytest.mark.usefixtures("without_keeper")
def test_a_load_over_distributed_tables_answers_as_one_from_scratch(port: int) -> None:
    address, events = Address("127.0.0.1", port, cluster="one"), crash.made()[:24]
    try:
        with closing(open_clickhouse(address)) as store:
            for start in range(0, len(events), 12):
                crash.load(store, events[start : start + 12])
            assert list(store.pending(10)) == []
        with closing(open_clickhouse(address)) as again:
            crash.check(again, events)
    finally:
        drop(address)


@pytest.mark.xfail(
    reason="chDB has no Keeper: ON CLUSTER is refused (392) and replicas have nowhere to meet", strict=True
)
def test_a_cluster_is_set_up_by_the_gateway_itself(port: int) -> None:
    with closing(open_clickhouse(Address("127.0.0.1", port, cluster="one", database="other"))) as store:
        wait(store.ping())
