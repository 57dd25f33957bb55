"""A running session: emits its events slice by slice and keeps what a perfect observer would know of it."""

from telemetry.simulator import wire
from telemetry.simulator.catalogue import PROMPTS, USER_ERRORS
from telemetry.simulator.chance import chance, client_address, uuid_of
from telemetry.simulator.occupancy import Stay
from telemetry.simulator.outcome import Course
from telemetry.simulator.plan import (
    BLANK_SWAP,
    CLOSED,
    DISCOVERY,
    ERROR,
    FEW,
    FIRST,
    NEVER,
    NO_ORCHESTRATORS,
    PARAMS,
    REQUEST,
    STATUS_EVERY_MS,
    SWAP,
    Plan,
    Step,
)
from telemetry.simulator.runner import Runner
from telemetry.simulator.tally import Tally
from telemetry.simulator.tickets import pay, ticket
from telemetry.simulator.transport import INGEST_EVERY_MS, Transport

Emitted = list[tuple[int, bytes]]
PAYMENT_GAPS_MS = (5_700, 6_000, 48_000)


class Session:
    """One attempt at a stream while it runs."""

    def __init__(self, seed: int, plan: Plan, cut_ms: int, stay: Stay | None, reached: list[bool]) -> None:
        order = plan.order
        self.plan, self.stay, self.reached = plan, stay, reached
        self.legs = plan.legs(cut_ms)
        self.tallies = {id(leg): Tally() for leg in self.legs}
        self.nobody = Tally()
        self.paid: list[Tally] = [Tally() for _ in plan.visits]
        self.course = Course(named=bool(self.legs))
        self.edges: dict[tuple[str, int], int] = {}
        self.swaps: list[Step] = []
        self.last_ms = order.at_ms
        self.says_model = self.has_paid = self.synthetic = False
        self._rng = chance(seed, "session", order.request_id)
        self._client = client_address(seed, order.stream_id)
        self._ids = f'"stream_id":"{order.stream_id}","pipeline_id":""'
        self._infos = [wire.info(v.slot.place.node_key, v.slot.place.uri) for v in plan.visits]
        self._transport = Transport(self._rng)
        self.runners = [Runner(v, self._rng, plan.fate != "user error", self._transport.poor) for v in plan.visits]
        self._set_params(order.at_ms)
        self._step = self._visit = self._payer = self._payments = 0
        self._leg = 0
        self._next_step = plan.steps[0].at_ms
        self._next_ingest = plan.ingest_from_ms
        self._next_status = self._first_status()
        self._next_payment = self._first_payment()

    def emit(self, until_ms: int, out: Emitted) -> bool:
        """Appends everything before a moment, in order of time; False when nothing is left to come."""
        while True:
            at_ms = min(self._next_step, self._next_status, self._next_ingest, self._next_payment)
            if at_ms >= until_ms:
                return at_ms < NEVER
            while self._leg + 1 < len(self.legs) and self.legs[self._leg + 1].start_ms <= at_ms:
                self._leg += 1
            if at_ms == self._next_step:
                self._take_step(self.plan.steps[self._step], out)
            elif at_ms == self._next_status:
                self._report_status(at_ms, out)
            elif at_ms == self._next_ingest:
                self._report_ingest(at_ms, out)
            else:
                self._pay(at_ms, out)

    def running(self) -> Tally:
        """The tally of the leg that runs now, or of nobody."""
        return self.tallies[id(self.legs[self._leg])] if self.legs else self.nobody

    def _write(self, out: Emitted, kind: str, at_ms: int, data: str, delay_ms: int = 0) -> None:
        event_id = uuid_of(self._rng.getrandbits(128))
        out.append((at_ms, wire.envelope(data, event_id, kind, self.plan.order.gateway.name, at_ms + delay_ms)))

    def _take_step(self, step: Step, out: Emitted) -> None:
        """Does what the plan says next."""
        self._step += 1
        steps = self.plan.steps
        self._next_step = steps[self._step].at_ms if self._step < len(steps) else NEVER
        if step.kind == DISCOVERY:
            self._discover(step, out)
            return
        self.last_ms = step.at_ms
        if step.kind == ERROR:
            self._error(step, out)
        elif step.kind == PARAMS:
            self._update_params(step, out)
        elif step.kind in (SWAP, BLANK_SWAP):
            self._swap(step, out)
        else:
            self._trace(step, out)

    def _trace(self, step: Step, out: Emitted) -> None:
        """A milestone of the stream."""
        order, extra, at_ms, delay_ms = self.plan.order, "", step.at_ms, 0
        self.edges.setdefault((step.kind, step.visit), at_ms)
        if step.kind == REQUEST and order.synthetic == "data":
            extra, self.synthetic = ',"synthetic":true', True
        elif step.kind in (FIRST, FEW):
            self.course.segment = True
        elif step.kind == NO_ORCHESTRATORS:
            self.course.refused = True
        elif step.kind == CLOSED:
            self.course.closed = True
            self.course.left(at_ms - order.at_ms)
        elif step.kind.startswith("runner_"):
            delay_ms = self._rng.randint(2, 11)
            at_ms += self.plan.visits[step.visit].slot.place.clock_offset_ms
            delay_ms -= self.plan.visits[step.visit].slot.place.clock_offset_ms
        who = self._infos[step.visit] if step.visit >= 0 else wire.NOBODY
        data = wire.trace(who, self._ids, order.request_id, step.kind, at_ms, extra)
        self._write(out, "stream_trace", at_ms, data, delay_ms)

    def _swap(self, step: Step, out: Emitted) -> None:
        """The gateway gives an orchestrator up."""
        self.says_model = True
        self.swaps.append(step)
        who = wire.NOBODY if step.kind == BLANK_SWAP else self._infos[step.visit]
        order = self.plan.order
        data = wire.swap(who, self._ids, order.request_id, order.workflow, step.text)
        self._write(out, "stream_trace", step.at_ms, data)

    def _error(self, step: Step, out: Emitted) -> None:
        """An error text, of whatever meaning."""
        course, order = self.course, self.plan.order
        self.says_model = True
        course.errors += 1
        self.running().add("errorEvents")
        if step.text == "whip disconnected":
            course.left(step.at_ms - order.at_ms)
        else:
            course.other_error = True
            course.user_error |= step.text in USER_ERRORS
            course.refused |= "no orchestrators available" in step.text
        data = wire.error(order.workflow, self._ids, step.text, order.request_id)
        self._write(out, "ai_stream_events", step.at_ms, data)

    def _discover(self, step: Step, out: Emitted) -> None:
        """The gateway looks around before it asks a place."""
        place = self.plan.visits[step.visit].slot.place
        latency_ms = self._rng.randint(18, 240)
        data = f'[{{"address":"{place.node_key.lower()}","url":"{place.uri}","latency_ms":"{latency_ms}"}}]'
        self._write(out, "discovery_results", step.at_ms, data)

    def _set_params(self, at_ms: int) -> None:
        params: dict[str, object] = {"width": 512, "prompt": self._rng.choice(PROMPTS), "height": 512}
        if self.plan.order.synthetic == "params":
            params["synthetic"] = True
        self._params, self._params_ms = wire.quoted(params), at_ms
        self._params_hash = f"{self._rng.getrandbits(128):032x}"

    def _update_params(self, step: Step, out: Emitted) -> None:
        """The user changes the prompt."""
        order = self.plan.order
        self._set_params(step.at_ms)
        self.says_model = True
        self.synthetic |= order.synthetic == "params"
        who = self._infos[step.visit]
        data = wire.params_update(order.workflow, who, self._ids, self._params, order.request_id)
        self._write(out, "ai_stream_events", step.at_ms, data)

    def _first_status(self) -> int:
        """When the runner of the visit in turn reports first; statuses of one visit end before the next begin."""
        while self._visit < len(self.plan.visits):
            visit = self.plan.visits[self._visit]
            at_ms = visit.runner_ms + STATUS_EVERY_MS
            if at_ms < visit.stop_ms:
                return at_ms
            self._visit += 1
        return NEVER

    def _report_status(self, at_ms: int, out: Emitted) -> None:
        """A runner's status: the sample that frame rates come from."""
        visit, order = self.plan.visits[self._visit], self.plan.order
        runner, offset_ms = self.runners[self._visit], visit.slot.place.clock_offset_ms
        self.last_ms = at_ms
        self.says_model = True
        sample = runner.sample(at_ms, self.tallies.get(id(visit), self.nobody))
        self.course.samples += 1
        self.course.output |= sample.output > 0
        data = wire.status(
            who=self._infos[self._visit],
            restarts=sample.restarts,
            last_output="null" if sample.output_ms is None else str(sample.output_ms + offset_ms),
            restart_logs=sample.logs,
            last_restart="null" if sample.restarted_ms is None else str(sample.restarted_ms + offset_ms),
            output_fps=sample.output,
            params_hash=self._params_hash,
            params_ms=self._params_ms,
            params=self._params,
            last_input=str(at_ms + offset_ms - self._rng.randint(4, 42)) if sample.input else "null",
            input_fps=sample.input,
            previous=sample.previous_ms + offset_ms,
            state_ms=sample.state_ms + offset_ms,
            pipeline=order.workflow,
            start_ms=visit.runner_ms + offset_ms,
            ids=self._ids,
            state=sample.state,
            request=order.request_id,
            at_ms=at_ms + offset_ms,
        )
        self._write(out, "ai_stream_status", at_ms + offset_ms, data, self._rng.randint(3, 12) - offset_ms)
        self._next_status = at_ms + STATUS_EVERY_MS
        if self._next_status >= visit.stop_ms:
            self._visit += 1
            self._next_status = self._first_status()

    def _report_ingest(self, at_ms: int, out: Emitted) -> None:
        """The gateway's transport counters."""
        self.last_ms = at_ms
        order = self.plan.order
        data = self._transport.report(at_ms, self._ids, order.request_id, self.running())
        self._write(out, "stream_ingest_metrics", at_ms, data)
        self._next_ingest = at_ms + INGEST_EVERY_MS
        if self._next_ingest >= self.plan.end_ms:
            self._next_ingest = NEVER

    def _first_payment(self) -> int:
        """When the place in turn is paid first."""
        visits = self.plan.visits
        if not self.plan.order.gateway.wallet or self._payer >= len(visits):
            return NEVER
        return visits[self._payer].asked_ms

    def _pay(self, at_ms: int, out: Emitted) -> None:
        """Tickets for the place in turn: two at first, then one now and then."""
        visit, order, first = self.plan.visits[self._payer], self.plan.order, self._payments == 0
        worth, tickets = ticket(visit.slot.place.face_value, self._rng), 2 if first else 1
        request = order.request_id if first else ""
        data = pay(visit.account, order.gateway, visit.slot, request, self._client, worth, tickets)
        self._write(out, "create_new_payment", at_ms, data)
        self.has_paid = True
        paid = self.paid[self._payer]
        paid.add("payments")
        paid.add("tickets", tickets)
        paid.add("feesWei", worth.expected_wei(tickets))
        paid.add("faceValueWei", worth.face_wei * tickets)
        gap_ms = PAYMENT_GAPS_MS[self._payments] if self._payments < len(PAYMENT_GAPS_MS) else 54_000
        self._payments += 1
        self._next_payment = at_ms + gap_ms + self._rng.randint(-40, 40)
        # The last seconds stay unpaid, so that an event of the session follows every payment.
        if self._next_payment >= visit.stop_ms - 6_000:
            self._payer, self._payments = self._payer + 1, 0
            self._next_payment = self._first_payment()
