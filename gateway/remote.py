"""Sending events to a gateway that serves: gzipped batches, sent again while it is busy."""

import gzip
import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

import orjson

from metrics.errors import BadRequest, GatewayError, StoreUnavailable
from telemetry.loader import Report

BATCH_LINES = 20_000
BATCH_BYTES = 24 * 1024 * 1024
TIMEOUT_S = 120
# While the gateway says it is busy we wait as long as it says; where it cannot be reached, for about a minute in all.
BUSY = (429, 503)
EXPECTED = ("accepted", "duplicate", "conflicting", "rejected")
MAX_BUSY_S = 600
PAUSES_S = (0.5, 1, 2, 4, 8, 15, 30)


@dataclass(slots=True)
class Remote:
    """A gateway at a URL."""

    url: str
    source: str
    token: str | None = None
    sleep: Callable[[float], None] = time.sleep
    say: Callable[[str], None] = lambda _: None
    warn: Callable[[str], None] = lambda _: None
    _target: str = field(init=False)

    def __post_init__(self) -> None:
        if "@" in self.url:
            raise BadRequest("--to takes no user or password. The token goes into NAAP_OPERATOR_TOKEN.", "--to")
        try:
            parts = _address(self.url)
        except ValueError:
            raise BadRequest(f"--to must be a URL like http://127.0.0.1:8000, not {self.url!r}.", "--to") from None
        self._target = (
            f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/v1/events?{urlencode({'source': self.source})}"
        )

    def load(self, lines: Iterable[bytes], step: Callable[[Report], None] = lambda _: None) -> Report:
        """Send the lines, batch by batch; returns once all are durable there. `step` sees a report after each batch."""
        report, sent = Report(), 0
        for batch in batches(lines):
            report.add(_report(self._sent(batch), sent))
            sent += len(batch)
            step(report)
        return report

    def _sent(self, batch: list[bytes]) -> dict[str, Any]:
        body = gzip.compress(b"\n".join(batch), compresslevel=4, mtime=0)
        failures, waited = 0, 0.0
        while True:
            try:
                return self._posted(body)
            except urllib.error.HTTPError as error:
                if error.code not in BUSY or waited >= MAX_BUSY_S:
                    raise _said(error) from None
                pause = _retry_after(error)
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                if isinstance(reason, ssl.SSLError) and not isinstance(reason, ssl.SSLEOFError):
                    raise StoreUnavailable(
                        f"{self.url} cannot be reached by TLS: {reason}. Is its certificate good, and is it https?"
                    ) from error
                if failures == len(PAUSES_S):
                    raise StoreUnavailable(
                        f"{self.url} cannot be reached: {reason}. Is `naap serve` running there?"
                    ) from error
                if not failures:
                    self.warn(f"{self.url} cannot be reached; trying again for {sum(PAUSES_S):.0f} s (Ctrl-C ends)")
                pause = PAUSES_S[failures]
                failures += 1
            self.say(f"waiting {pause:g} s for {self.url}")
            self.sleep(pause)
            waited += pause

    def _posted(self, body: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self._target, body, headers, method="POST")  # noqa: S310  # http(s) only, checked above
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - the same
            try:
                answer: dict[str, Any] = orjson.loads(response.read())
                return {name: answer[name] for name in EXPECTED} | answer
            except (ValueError, KeyError, TypeError):
                raise BadRequest(f"{self.url} answers, but not as a naap-gateway does.") from None


def _address(url: str) -> SplitResult:
    """The parts of a URL that a request can be sent to. Raises ValueError for any other."""
    parts = urlsplit(url)
    usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    if not usable or not (url.isprintable() and parts.path.isascii()) or " " in url:
        raise ValueError(url)
    (parts.hostname or "").encode("idna")
    return parts


def batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lines in lists that are small enough for one request."""
    batch: list[bytes] = []
    size = 0
    for line in map(_on_one_line, lines):
        if batch and (len(batch) >= BATCH_LINES or size + len(line) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield batch


def _on_one_line(event: bytes) -> bytes:
    """An element of an array may be spread over lines; between JSON's words a space is as good as a line's end."""
    return event.strip().replace(b"\r", b" ").replace(b"\n", b" ")


def _report(answer: Mapping[str, Any], sent: int) -> Report:
    """The answer to a batch, its lines counted on from those sent before."""
    return Report(
        answer["accepted"],
        answer["duplicate"],
        answer["conflicting"],
        [(sent + one["line"], one["reason"]) for one in answer["rejected"]],
        Counter(answer.get("rejected_by_reason") or [one["reason"] for one in answer["rejected"]]),
        Counter(answer.get("unknown_types", {})),
    )


def _retry_after(error: urllib.error.HTTPError) -> float:
    text = error.headers.get("Retry-After", "")
    return min(60.0, max(0.1, float(text))) if text.isdigit() else 2.0


def _said(error: urllib.error.HTTPError) -> GatewayError:
    try:
        detail = str(orjson.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        detail = error.reason
    return BadRequest(f"{error.url} refuses ({error.code}): {detail}")
