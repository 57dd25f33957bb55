"""The events as go-livepeer writes them to Kafka, byte for byte: key order, numbers, strings.

Values are filled into fixed text instead of being built as dicts, which is several times faster. So every string
that is passed in must already be plain (our own identifiers) or JSON (texts and parameters, see `quoted`).
"""

import orjson

NOBODY = '{"address":"","url":""}'


def quoted(value: object) -> str:
    """A value as JSON text."""
    return orjson.dumps(value).decode()


def info(address: str, url: str) -> str:
    """The `orchestrator_info` of an event; the node key is written in lower case there."""
    return f'{{"address":"{address.lower()}","url":"{url}"}}'


def envelope(data: str, event_id: str, kind: str, gateway: str, at_ms: int) -> bytes:
    """An event of any type around its data."""
    return (
        f'{{"data":{data},"id":"{event_id}","type":"{kind}","gateway":"{gateway}","timestamp":"{at_ms}"}}\n'
    ).encode()


def trace(who: str, ids: str, request: str, subtype: str, at_ms: int, extra: str = "") -> str:
    """The data of a `stream_trace`."""
    return f'{{"orchestrator_info":{who},{ids},"type":"{subtype}","request_id":"{request}","timestamp":{at_ms}{extra}}}'


def swap(who: str, ids: str, request: str, pipeline: str, message: str) -> str:
    """The data of an `orchestrator_swap`; it has no time of its own."""
    return (
        f'{{"orchestrator_info":{who},"pipeline":"{pipeline}",{ids},"message":{quoted(message)},'
        f'"type":"orchestrator_swap","request_id":"{request}"}}'
    )


def error(pipeline: str, ids: str, message: str, request: str) -> str:
    """The data of an `ai_stream_events` that reports an error."""
    return (
        f'{{"pipeline":"{pipeline}","capability":"",{ids},"message":{quoted(message)},"type":"error",'
        f'"request_id":"{request}"}}'
    )


def params_update(pipeline: str, who: str, ids: str, params: str, request: str) -> str:
    """The data of an `ai_stream_events` that hands new parameters to the runner."""
    return (
        f'{{"pipeline":"{pipeline}","orchestrator_info":{who},{ids},"params":{params},"type":"params_update",'
        f'"request_id":"{request}"}}'
    )


def payment(
    uri: str,
    tickets: int,
    sender: str,
    face_value: str,
    price: str,
    request: str,
    win_probability: str,
    recipient: str,
    session: str,
    manifest: str,
    client: str,
) -> str:
    """The data of a `create_new_payment`."""
    return (
        f'{{"orchestrator":"{uri}","capability":"","numTickets":"{tickets}","sender":"{sender}",'
        f'"faceValue":"{face_value}","price":"{price} wei/pixel","requestID":"{request}","clientIP":"{client}",'
        f'"winProb":"{win_probability}","recipient":"{recipient}","sessionID":"{session}","manifestID":"{manifest}"}}'
    )


def status(
    who: str,
    restarts: int,
    last_output: str,
    restart_logs: str,
    last_restart: str,
    output_fps: float,
    params_hash: str,
    params_ms: int,
    params: str,
    last_input: str,
    input_fps: float,
    previous: int,
    state_ms: int,
    pipeline: str,
    start_ms: int,
    ids: str,
    state: str,
    request: str,
    at_ms: int,
) -> str:
    """The data of an `ai_stream_status`."""
    return (
        f'{{"orchestrator_info":{who},"inference_status":{{"restart_count":{restarts},"last_error_time":null,'
        f'"last_output_time":{last_output},"last_restart_logs":{restart_logs},"last_restart_time":{last_restart},'
        f'"fps":{output_fps},"last_params_hash":"{params_hash}","last_error":null,'
        f'"last_params_update_time":{params_ms},"last_params":{params}}},'
        f'"input_status":{{"last_input_time":{last_input},"fps":{input_fps}}},"last_status_timestamp":{previous},'
        f'"type":"status","last_state_update_time":{state_ms},"pipeline":"{pipeline}","start_time":{start_ms},'
        f'{ids},"state":"{state}","request_id":"{request}","timestamp":{at_ms}}}'
    )


def track(kind: str, input_s: float, jitter: float, received: int, lost: int, loss_pct: float) -> str:
    """One element of `track_stats`."""
    return (
        f'{{"last_input_ts":{input_s},"jitter":{jitter},"rtt":0,"packets_received":{received},'
        f'"packet_loss_pct":{loss_pct},"last_output_ts":0,"latency":0,"type":"{kind}","packets_lost":{lost}}}'
    )


def ingest(tracks: str, received: int, sent: int, quality: str, ids: str, request: str, at_ms: int) -> str:
    """The data of a `stream_ingest_metrics`."""
    return (
        f'{{"stats":{{"track_stats":[{tracks}],"peer_conn_stats":{{"BytesReceived":{received},"BytesSent":{sent},'
        f'"ID":"iceTransport"}},"conn_quality":"{quality}"}},{ids},"request_id":"{request}","timestamp":{at_ms}}}'
    )
