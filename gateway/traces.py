"""Traces by OpenTelemetry: a span for each request, below it its plans, below them their reads.

They are made of the request's journal when it has ended, so that nothing is paid for them before, and nothing at all
where no collector is configured. Sampling, batches and attributes follow OpenTelemetry's own `OTEL_…` variables.
"""

from typing import TYPE_CHECKING

from gateway.seen import Seen
from metrics.errors import BadRequest
from resolvers.journal import Plan, Read, Step

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

SERVICE = "naap-gateway"
# With its tries: at the end somebody waits for it.
SEND_S = 2


class Traces:
    """Where spans go."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE)

    @classmethod
    def to(cls, url: str) -> "Traces":
        """To a collector that speaks OTLP over HTTP. Raises BadRequest where the library is not installed."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import SERVICE_NAME, Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            raise BadRequest(
                "NAAP_TRACES needs a library that is not installed: pip install 'naap-gateway[otel]'.", "NAAP_TRACES"
            ) from None
        provider = TracerProvider(resource=Resource.create({SERVICE_NAME: SERVICE}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces", timeout=SEND_S)))
        return cls(provider)

    def seen(self, seen: Seen) -> None:
        """Tell of a request that has ended."""
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {"traceparent": seen.traceparent} if seen.traceparent else {}
        attributes: dict[str, str | int | list[str]] = {
            "http.request.method": seen.method,
            "http.route": seen.route,
            "http.response.status_code": seen.status,
            "naap.request_id": seen.request_id,
            "naap.caller": seen.caller,
        }
        if seen.cost is not None:
            attributes["naap.cost"] = seen.cost
        if documents := [one for journal in seen.journals for one in journal.documents]:
            attributes["naap.documents"] = documents
        span = self._tracer.start_span(
            f"{seen.method} {seen.route}",
            TraceContextTextMapPropagator().extract(carrier),
            SpanKind.SERVER,
            attributes,
            start_time=seen.start_ns,
        )
        if span.is_recording():
            within = set_span_in_context(span)
            for journal in seen.journals:
                for plan in journal.plans:
                    self._plan(plan, within)
                for read in journal.others:
                    self._read(read, within)
        if seen.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(seen.start_ns + int(seen.seconds * 1e9))

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()

    def _plan(self, plan: Plan, within: "Context") -> None:
        from opentelemetry.trace import set_span_in_context

        span = self._tracer.start_span(
            f"plan {plan.name}", within, attributes={"naap.questions": plan.questions}, start_time=plan.start_ns
        )
        for read in plan.reads:
            self._read(read, set_span_in_context(span))
        _end(span, plan)

    def _read(self, read: Read, within: "Context") -> None:
        span = self._tracer.start_span(
            f"read {read.name}", within, attributes={"naap.what": read.what}, start_time=read.start_ns
        )
        if read.rows is not None:
            span.set_attribute("naap.rows", read.rows)
        _end(span, read)


def _end(span: "Span", step: Step) -> None:
    from opentelemetry.trace import Status, StatusCode

    if step.error is not None:
        span.set_attribute("error.type", step.error)
        span.set_status(Status(StatusCode.ERROR))
    span.end(step.start_ns + int(step.seconds * 1e9))
