"""What the wire says: envelopes, types, wandering fields, and what is refused with which reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.loader import arrivals
from telemetry.reading import Payment, Reading, Snapshot, Status, Swap, Transport, What
from telemetry.values import Unreadable, fixed, time_ms, wei
from telemetry.wire import canonical, parse, read, unwrapped

AT = 1_767_966_517_287
NOW = AT + 1_000
NUMBERS = st.integers() | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False, allow_infinity=False)
NUMBERS_LOOKALIKES = st.text("0189e-+.,:[{ ", max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | NUMBERS_LOOKALIKES | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def event(kind: str = "ai_stream_status", data: Any = None, **more: Any) -> dict[str, Any]:
    """A Kafka message."""
    return {"id": "e1", "type": kind, "timestamp": str(AT), "gateway": "", "data": data or {}, **more}


def reading(said: Any) -> Reading:
    """What an event says."""
    return read(said, "s", b"\0" * 32, NOW)


def refused(line: bytes) -> str:
    """The reason why a line is refused."""
    (found,) = arrivals(line, "s", NOW)
    assert not hasattr(found, "event"), found
    return found.reason  # type: ignore[union-attr]  # the assertion says which


@given(JSON)
def test_canonical_content_is_the_standard_librarys_to_the_byte(value: Any) -> None:
    defined = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    assert canonical(value) == defined


@given(JSON, st.sampled_from((None, 0, "\t")))
def test_parsing_gives_what_the_standard_library_gives(value: Any, indent: int | str | None) -> None:
    line = json.dumps(value, indent=indent, separators=None if indent else (",", ":")).encode()

    assert repr(parse(line)) == repr(json.loads(line))


def test_every_envelope_says_the_same() -> None:
    kafka = event(data={"stream_id": "s", "request_id": "r", "inference_status": {"fps": 20.5}})
    payload = {"id": "e1", "type": kafka["type"], "timestamp": "2026-01-09T13:48:37.287Z", "payload": kafka["data"]}
    forms = (kafka, [kafka], [{"topic": "t", "offset": 3, "value": kafka}], [payload])

    readings = [reading(one) for form in forms for one in unwrapped(form)]

    assert {(r.id, r.at_ms, r.owner, r.said) for r in readings} == {
        ("e1", AT, readings[0].owner, Status(20_500_000_000, None, "", None, None))
    }


def test_v1_says_what_it_means() -> None:
    ids = {"orchestrator_address": "0x" + "AB" * 20, "model_id": "pipe#model-x", "trace_id": "t1", "gateway_id": "gw"}
    v1 = {"event_type": "gateway.request.first_frame", "timestamp_ms": AT, "ids": ids, "geo": {"region": "eu"}}

    told = reading({**v1, "payload": {"e2e_latency_ms": "12.5"}})

    assert (told.what, told.segment, told.e2e_us) == (What.FIRST_SEGMENT, True, 12_500)
    assert (told.place, told.model, told.request_id) == ("wallet:0x" + "ab" * 20, "model-x", "t1")
    assert (told.region, told.gateway) == ("eu", "gw")


@pytest.mark.parametrize(
    ("stated", "wanted"),
    [
        ("2402400000000000 WEI", 2402400000000000),
        ("0.012 ETH", 12 * 10**15),
        ("5", 5),
        (7, 7),
        (10**30, 10**30),
        ("", None),
        (None, None),
    ],
)
def test_amounts_are_exact(stated: Any, wanted: int | None) -> None:
    assert wei(stated, "faceValue") == wanted


@pytest.mark.parametrize("stated", ["1e99999999 ETH", "-1", "NaN", "abc", "1 USD", "1e40", [1], True])
def test_amounts_that_are_none_are_refused(stated: Any) -> None:
    with pytest.raises(Unreadable):
        wei(stated, "faceValue")


@pytest.mark.parametrize(
    "stated", [AT, str(AT), float(AT), "2026-01-09T13:48:37.287Z", "2026-01-09T14:48:37.287+01:00"]
)
def test_time_has_many_forms(stated: Any) -> None:
    assert time_ms(stated, "timestamp") == AT


def test_small_numbers_of_time_are_seconds() -> None:
    assert time_ms(1_767_966_517, "timestamp") == 1_767_966_517_000
    assert time_ms("1767966517.287", "timestamp") == AT


@given(st.floats(0, 10_000))
def test_fixed_point_rounds_half_to_even_once(value: float) -> None:
    from fractions import Fraction

    assert fixed(value, "fps") == round(Fraction(value) * 10**9)


@pytest.mark.parametrize(
    ("stated", "wanted"), [("19.5", 19_500_000_000), (0, 0), ("", None), (None, None), (" ", None)]
)
def test_frame_rates_wander(stated: Any, wanted: int | None) -> None:
    told = reading(event(data={"inference_status": {"fps": stated}}))

    assert isinstance(told.said, Status)
    assert told.said.output_fps == wanted


def test_a_swap_names_who_is_left_and_nobody_else() -> None:
    data = {"type": "orchestrator_swap", "message": "timeout", "orchestrator_info": {"url": "HTTPS://A.example:1/"}}

    told = reading(event("stream_trace", {**data, "request_id": "r"}))

    assert (told.place, told.said) == ("", Swap("https://a.example:1", "timeout"))


def test_tracks_are_told_apart_by_type_and_position() -> None:
    tracks = [{"type": "video", "packets_lost": 1, "packets_received": "9"}, {"type": "video"}, {"type": "audio"}]

    told = reading(event("stream_ingest_metrics", {"stats": {"track_stats": tracks, "peer_conn_stats": None}}))

    assert told.said == Transport(None, None, (("video#1", 1, 9), ("video#2", None, None), ("audio#1", None, None)))


def test_a_snapshot_claims_and_offers() -> None:
    row = {
        "address": "0x" + "11" * 20,
        "local_address": "0x" + "22" * 20,
        "orch_uri": "https://A.example:1/",
        "hardware": [{"model_id": "m", "gpu_info": {"0": {"id": "GPU-1", "name": "RTX", "memory_total": 5}}}],
    }

    told = reading(event("network_capabilities", [row, None, {}]))

    assert isinstance(told.said, Snapshot)
    assert [claim.place for claim in told.said.claims] == ["https://a.example:1", "key:0x" + "22" * 20]
    assert [(o.uri, o.gpu, o.gpu_model, o.workflow) for o in told.said.offers] == [
        ("https://a.example:1", "GPU-1", "RTX", "m")
    ]


def test_a_payment_is_worth_face_value_times_probability_times_tickets() -> None:
    data = {"faceValue": "2407920000000000 WEI", "winProb": "0.0009967109", "numTickets": "1", "manifestID": "35_m"}

    told = reading(event("create_new_payment", data))

    assert isinstance(told.said, Payment)
    assert (told.said.fees_wei, told.said.face_value_wei, told.said.model) == (2400000110328, 2407920000000000, "m")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'"\\ud800"', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"12", "not_an_object"),
        (b"{}", "no_type"),
        (json.dumps({"type": "x"}).encode(), "no_time"),
        (json.dumps(event(timestamp="soon")).encode(), "bad_time"),
        (json.dumps(event(timestamp=1)).encode(), "bad_time"),
        (json.dumps(event(timestamp=NOW + 600_001)).encode(), "future"),
        (json.dumps({**event(), "data": 3}).encode(), "bad_data"),
        (json.dumps(event(data={"inference_status": {"fps": "quick"}})).encode(), "bad_number"),
        (json.dumps(event(data={"inference_status": {"fps": -1}})).encode(), "bad_number"),
        (b'{"x": "' + b"y" * 2**20 + b'"}', "too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(line: bytes, reason: str) -> None:
    assert refused(line) == reason


@given(JSON)
def test_no_content_whatever_breaks_the_reader(value: Any) -> None:
    line = json.dumps({"type": "ai_stream_status", "timestamp": AT, "data": value, "id": value}).encode()

    assert all(hasattr(found, "event") or found.reason for found in arrivals(line, "s", NOW))


def test_an_unknown_type_is_accepted_and_belongs_to_no_session() -> None:
    told = reading(event("brand_new", {"stream_id": "s", "request_id": "r"}))

    assert (told.what, told.owner) == (What.OUTSIDE, "")
