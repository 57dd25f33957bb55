"""The benchmark compares stores: side by side, and their answers byte by byte."""

from typing import Any

from bench.run import Found, disagreements, named, report

TIMES = {"reads": 4, "store_p50_ms": 1.0, "store_p95_ms": 2.0, "total_p50_ms": 3.0, "total_p95_ms": 4.0}


def one(answer: str) -> dict[str, Any]:
    queries = {name: {**TIMES, "answer": answer} for name in ("nested page", "whole period")}
    return {"events": 10, "seconds": 2.0, "peak_mb": 100.0, "queries": queries}


def test_stores_are_shown_side_by_side_where_they_agree() -> None:
    found: Found = {(10, "chdb"): one("a"), (10, "clickhouse host"): one("a")}

    assert disagreements(found) == []
    text = report(found)
    assert "| 10 | chdb | 2.0 | 5 | 100 MB |\n| 10 | clickhouse host | 2.0 | 5 | 100 MB |" in text
    assert "| 10 | nested page | clickhouse host | 4 | 1.0 ms | 2.0 ms | 3.0 ms | 4.0 ms | 2.00 |" in text
    assert "same answer in all 2 stores" in text


def test_a_different_answer_is_named() -> None:
    found: Found = {(10, "chdb"): one("a"), (10, "clickhouse host"): one("b")}

    assert disagreements(found) == ["nested page of 10 events", "whole period of 10 events"]
    assert "same answer" not in report(found)


def test_one_store_is_reported_without_its_name() -> None:
    text = report({(10, "chdb"): one("a"), (20, "chdb"): one("b")})

    assert "| events | seconds | events/s | peak memory |" in text
    assert "| 10 | 2.0 | 5 | 100 MB |" in text
    assert "costs 1.00 × what it costs with 10." in text


def test_a_store_is_named_without_its_password() -> None:
    assert named("clickhouse://me:hid@den@host:1/db") == "clickhouse host:1"
    assert named("chdb") == "chdb"
