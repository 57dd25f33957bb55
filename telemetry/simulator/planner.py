"""Makes plans: picks places that are free, fates by chance, and the time of every step."""

from random import Random

from telemetry.simulator.catalogue import LATE_ERRORS, STARTUP_ERRORS, SWAP_MESSAGES, USER_ERRORS
from telemetry.simulator.chance import chance
from telemetry.simulator.occupancy import Occupancy
from telemetry.simulator.plan import (
    BLANK_SWAP,
    CLOSED,
    DATA,
    DISCOVERY,
    ERROR,
    FEW,
    FIRST,
    NEVER,
    NO_ORCHESTRATORS,
    PARAMS,
    REQUEST,
    RUNNER_GOT,
    RUNNER_SENT,
    SENT,
    SWAP,
    Order,
    Plan,
    Visit,
)
from telemetry.simulator.tickets import Accounts

FATES = {
    "served": 85.0,
    "startup failed": 3.0,
    "output failed": 1.5,
    "left early": 3.5,
    "never assigned": 1.5,
    "user error": 2.0,
    "refused": 3.5,
}
STARTUP_LIMIT_MS = 90_000
LEAVING = ("leave", "close", "error", "user error", "vanish")
LEAVING_WEIGHTS = (78, 9, 5, 4, 4)


class Planner:
    """Plans sessions one after another, in the order in which they are asked for."""

    def __init__(self, seed: int, occupancy: Occupancy, accounts: Accounts) -> None:
        self._seed = seed
        self._occupancy = occupancy
        self._accounts = accounts

    def plan(self, order: Order) -> Plan:
        """The whole course of one session."""
        rng = chance(self._seed, "plan", order.request_id)
        plan = Plan(order, rng.choices(list(FATES), list(FATES.values()))[0])
        plan.step(order.at_ms, REQUEST)
        if plan.fate == "refused":
            self._refuse(plan, rng)
        elif plan.fate == "never assigned":
            self._leave(plan, order.at_ms + rng.randint(250, 1500), "leave" if rng.random() < 0.6 else "close")
        elif plan.fate == "user error":
            self._user_error(plan, rng)
        else:
            self._stream(plan, rng)
        plan.settle()
        self._occupancy.book(plan)
        return plan

    def _refuse(self, plan: Plan, rng: Random) -> None:
        """Nobody can take it. The gateway waits a little, says so and hangs up."""
        wait_s = rng.choice((2, 2, 2, 5))
        at_ms = plan.order.at_ms + wait_s * 1000 + rng.randint(60, 900)
        plan.fate = "refused"
        if rng.random() < 0.3:
            plan.step(at_ms, NO_ORCHESTRATORS)
        plan.step(at_ms, ERROR, text=f"no orchestrators available within {wait_s}s timeout")
        self._leave(plan, at_ms, "leave")

    def _user_error(self, plan: Plan, rng: Random) -> None:
        """The user's own connection never comes up; the runner waits for frames that do not arrive."""
        end_ms = plan.order.at_ms + rng.randint(12_000, 28_000)
        if self._visit(plan, plan.order.at_ms, end_ms, rng) is None:
            self._refuse(plan, rng)
            return
        plan.step(end_ms, ERROR, text=rng.choice(USER_ERRORS))
        self._leave(plan, end_ms + rng.randint(0, 300), "closing")

    def _stream(self, plan: Plan, rng: Random) -> None:
        """A stream that gets a place and at least tries to start there."""
        asked_ms = plan.order.at_ms
        lasting_ms = min(5_400_000, 3_000 + int(1000 * rng.lognormvariate(5.35, 1.05)))
        if plan.fate not in ("served", "output failed"):
            lasting_ms = 0
        if plan.fate != "left early" and rng.random() < 0.02:
            asked_ms = self._false_start(plan, rng)
        visit = self._visit(plan, asked_ms, asked_ms + STARTUP_LIMIT_MS + lasting_ms, rng, own=bool(plan.visits))
        if visit is None:
            self._refuse_or_fail(plan, asked_ms, rng)
            return
        plan.ingest_from_ms = plan.order.at_ms + rng.randint(4_600, 5_400)
        first_ms = self._start(plan, visit, rng)
        if plan.fate == "left early":
            self._left_early(plan, visit, rng)
        elif plan.fate == "startup failed":
            self._fail_to_start(plan, visit, rng)
        else:
            self._run(plan, first_ms, lasting_ms, rng)

    def _refuse_or_fail(self, plan: Plan, at_ms: int, rng: Random) -> None:
        """No place is free: a refusal, or, after a swap away from somebody, a failed start."""
        if plan.visits:
            plan.fate = "startup failed"
            plan.step(at_ms + 2_500, ERROR, text="no orchestrators available within 2s timeout")
            self._leave(plan, at_ms + 2_500, "leave")
        else:
            self._refuse(plan, rng)

    def _visit(self, plan: Plan, at_ms: int, until_ms: int, rng: Random, own: bool = False) -> Visit | None:
        """A visit to a free place of an orchestrator that the session has not met."""
        met = {visit.slot.place.key for visit in plan.visits}
        slot = self._occupancy.pick(plan.order.workflow, at_ms, until_ms, met, rng)
        if slot is None:
            return None
        account = self._accounts.own() if own else self._accounts.shared(plan.order.gateway, slot)
        asked_ms = at_ms + rng.randint(150, 420)
        visit = Visit(slot, account, asked_ms, asked_ms + rng.randint(20, 120))
        plan.visits.append(visit)
        plan.step(asked_ms, DISCOVERY, len(plan.visits) - 1)
        return visit

    def _start(self, plan: Plan, visit: Visit, rng: Random) -> int:
        """The edges of a stream's beginning at a place; gives the time of the first processed segment."""
        index, workflow, speed = len(plan.visits) - 1, visit.slot.workflow, visit.slot.place.model.speed
        visit.cold = self._occupancy.is_cold(visit.slot, visit.asked_ms, rng.random())
        work_ms = workflow.first_frame_ms / speed * rng.uniform(0.8, 1.5)
        work_ms += workflow.cold_start_ms / speed * rng.uniform(0.6, 1.2) if visit.cold else 0
        sent = visit.asked_ms + rng.randint(350, 1600)
        got = sent + rng.randint(12, 90)
        made = got + int(work_ms)
        first = made + rng.randint(40, 320)
        # A warm runner may answer with a frame of its own before it has seen any input.
        early = sent - rng.randint(40, 200) if rng.random() < 0.02 else made
        few = first + rng.randint(3_000, 5_600)
        for at_ms, kind in ((sent, SENT), (got, RUNNER_GOT), (early, RUNNER_SENT), (first, FIRST), (few, FEW)):
            plan.step(at_ms, kind, index)
        if rng.random() < 0.25:
            plan.step(first + rng.randint(20, 400), DATA, index)
        visit.output_ms = first + rng.randint(0, 9_000)
        return first

    def _false_start(self, plan: Plan, rng: Random) -> int:
        """An orchestrator that is given up before it sends anything; gives the time of the swap."""
        until_ms = plan.order.at_ms + STARTUP_LIMIT_MS
        visit = self._visit(plan, plan.order.at_ms, until_ms, rng, own=True)
        if visit is None:
            return plan.order.at_ms
        reason, message = _swap_text(rng, ("timeout", "runner_disconnect", "capacity", "orchestrator_reset"))
        style = rng.choice(("unheard", "unnamed", "begun", "begun"))
        swap_ms = visit.asked_ms + rng.randint(700, 2_600)
        if style == "begun":
            swap_ms = visit.asked_ms + rng.randint(5_000, 14_000)
            sent = visit.asked_ms + rng.randint(350, 1_600)
            plan.step(sent, SENT, 0)
            plan.step(sent + rng.randint(12, 90), RUNNER_GOT, 0)
        visit.stop_ms = swap_ms
        # An unheard place is left by a swap that names nobody: the log does not know that it was tried.
        plan.step(swap_ms, BLANK_SWAP if style == "unheard" else SWAP, -1 if style == "unheard" else 0, message, reason)
        return swap_ms

    def _left_early(self, plan: Plan, visit: Visit, rng: Random) -> None:
        """The user is gone within five seconds, before a frame came back."""
        first = min(step.at_ms for step in plan.steps if step.kind == FIRST)
        latest = min(first - 1, plan.order.at_ms + 4_900)
        earliest = min(latest, visit.asked_ms + 100)
        how = "close" if plan.order.gateway.wallet and rng.random() < 0.3 else "leave"
        self._leave(plan, rng.randint(earliest, latest), how)

    def _fail_to_start(self, plan: Plan, visit: Visit, rng: Random) -> None:
        """No frame comes back: an error, a user who gives up, or silence."""
        plan.steps = [step for step in plan.steps if step.kind not in (RUNNER_SENT, FIRST, FEW, DATA)]
        visit.output_ms = NEVER
        base_ms, roll = max(visit.asked_ms, plan.order.at_ms), rng.random()
        if roll < 0.45:
            self._leave(plan, base_ms + rng.randint(15_000, 62_000), "error", rng.choice(STARTUP_ERRORS))
        elif roll < 0.6:
            self._leave(plan, base_ms + rng.randint(1_800, 4_500), "error", rng.choice(STARTUP_ERRORS))
        elif roll < 0.9 or not plan.order.gateway.wallet:
            self._leave(plan, base_ms + rng.randint(8_000, 45_000), "leave")
        else:
            self._leave(plan, base_ms + rng.randint(20_000, 40_000), "vanish")

    def _run(self, plan: Plan, first_ms: int, lasting_ms: int, rng: Random) -> None:
        """Frames flow (or, where the output fails, segments without any), perhaps through swaps, until the end."""
        failed = plan.fate == "output failed"
        end_ms = first_ms + (rng.randint(32_000, 160_000) if failed else lasting_ms)
        while not failed and end_ms - first_ms > 40_000 and rng.random() < 0.035 * self._flaky(plan):
            swapped_ms = self._swap(plan, first_ms, end_ms, rng)
            if swapped_ms is None:
                break
            first_ms = swapped_ms
        if failed:
            plan.visits[-1].output_ms = NEVER
        at_ms = plan.order.at_ms + rng.randint(9_000, 13_000)
        while at_ms < end_ms:
            plan.step(at_ms, PARAMS, self._running(plan, at_ms))
            at_ms += 1_000 + int(rng.expovariate(1 / 120_000))
        how = rng.choices(LEAVING, LEAVING_WEIGHTS)[0]
        plain = failed or (how in ("close", "vanish") and not plan.order.gateway.wallet)
        text = rng.choice(USER_ERRORS if how == "user error" else LATE_ERRORS)
        self._leave(plan, end_ms, "leave" if plain else how, text)

    def _swap(self, plan: Plan, first_ms: int, end_ms: int, rng: Random) -> int | None:
        """The running orchestrator is left for another; gives the time of the other's first segment."""
        swap_ms = rng.randint(first_ms + 6_000, end_ms - 20_000)
        left = len(plan.visits) - 1
        visit = self._visit(plan, swap_ms, end_ms, rng, own=True)
        if visit is None:
            return None
        plan.visits[left].stop_ms = swap_ms
        reason, message = _swap_text(rng, tuple(SWAP_MESSAGES))
        plan.step(swap_ms, BLANK_SWAP if rng.random() < 0.25 else SWAP, left, message, reason)
        return self._start(plan, visit, rng)

    def _flaky(self, plan: Plan) -> float:
        return plan.visits[-1].slot.place.orchestrator.flaky

    def _running(self, plan: Plan, at_ms: int) -> int:
        """The visit whose runner is told new parameters at a moment: the latest that has sent its first segment."""
        began = [step.visit for step in plan.steps if step.kind == SENT and step.at_ms <= at_ms]
        return max(began, default=len(plan.visits) - 1)

    def _leave(self, plan: Plan, at_ms: int, how: str, text: str = "") -> None:
        """The end: what the gateway writes last, if anything."""
        plan.end_ms = at_ms
        if how in ("error", "user error"):
            plan.step(at_ms, ERROR, text=text)
        if how == "leave":
            plan.step(at_ms, ERROR, text="whip disconnected")
        if how != "vanish":
            plan.step(at_ms, CLOSED)


def _swap_text(rng: Random, reasons: tuple[str, ...]) -> tuple[str, str]:
    reason = rng.choice(reasons)
    return reason, rng.choice(SWAP_MESSAGES[reason])
