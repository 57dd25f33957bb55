"""A runner at work on one stream: its state, its frame rates, its restarts."""

from dataclasses import dataclass
from random import Random

from telemetry.simulator import wire
from telemetry.simulator.catalogue import RESTART_LOGS
from telemetry.simulator.plan import Visit
from telemetry.simulator.tally import FPS, Spread, Tally

ONLINE, SLOW_INPUT, SLOW_INFERENCE, STALL = range(4)
STATES = ("ONLINE", "DEGRADED_INPUT", "DEGRADED_INFERENCE", "DEGRADED_INFERENCE")
RECOVERY_MS = 22_000
LOGS = wire.quoted(list(RESTART_LOGS))


@dataclass(frozen=True, slots=True)
class Sample:
    """What one status says."""

    output: float
    input: float
    state: str
    state_ms: int
    output_ms: int | None
    previous_ms: int
    restarts: int
    restarted_ms: int | None
    logs: str


def fps_text(billionths: int) -> float:
    """A rate as the wire carries it: a little above whole billionths, so that reading it rounds back to them."""
    return (billionths + 0.21) / FPS if billionths else 0


class Runner:
    """The runner of one visit. It counts every sample that it gives."""

    def __init__(self, visit: Visit, rng: Random, input_comes: bool, poor_user: bool) -> None:
        place = visit.slot.place
        self._visit, self._rng, self._input_comes = visit, rng, input_comes
        self._input_fps = rng.choice((20.0, 24.0, 30.0)) * rng.uniform(0.97, 1.01)
        self._cap_fps = visit.slot.workflow.fps * place.model.speed * rng.uniform(0.93, 1.03)
        self._slow_input = 0.08 if poor_user else 0.008
        self._mode = ONLINE
        self._state, self._state_ms = "", visit.runner_ms
        self._previous_ms = visit.runner_ms
        self._output_ms: int | None = None
        self._restarts, self._restarted_ms = place.restart_state(visit.runner_ms)
        self._ahead = [restart for restart in place.restarts if visit.runner_ms < restart.at_ms < visit.stop_ms]
        self._ahead.reverse()
        self._recovered_ms = 0
        self._samples, self._shown = 0, False
        self._zeros, self._inputs = 0, Spread()
        self.stated: set[int] = set()

    def sample(self, at_ms: int, tally: Tally) -> Sample:
        """The status at a moment, counted into the tally of the leg."""
        rises = self._restart(at_ms)
        billionths, input_billionths, state = self._measure(at_ms)
        if state != self._state:
            self._state, self._state_ms = state, max(self._previous_ms, at_ms - self._rng.randint(500, 8_000))
        if billionths:
            self._output_ms = at_ms - self._rng.randint(3, 44)
        if self._restarted_ms is not None:
            self.stated.add(self._restarted_ms)
        self._count(tally, billionths, input_billionths, state, rises)
        previous_ms, self._previous_ms = self._previous_ms, at_ms
        return Sample(
            output=fps_text(billionths),
            input=fps_text(input_billionths),
            state=state,
            state_ms=self._state_ms,
            output_ms=self._output_ms,
            previous_ms=previous_ms,
            restarts=self._restarts,
            restarted_ms=self._restarted_ms,
            logs="null" if self._restarted_ms is None else LOGS,
        )

    def finish(self, tally: Tally) -> None:
        """Where nothing was ever shown, no zero was warm-up: all of them count."""
        if not self._shown and self._zeros:
            for _ in range(self._zeros):
                tally.measure("outputFps", 0)
            tally.spread("inputFps").merge(self._inputs)

    def _restart(self, at_ms: int) -> int:
        """Goes through the restarts up to a moment; gives how far the counter rose since the last sample."""
        before = self._restarts
        while self._ahead and self._ahead[-1].at_ms <= at_ms:
            restart = self._ahead.pop()
            self._recovered_ms = restart.at_ms + RECOVERY_MS
            if restart.container:
                self._restarts, self._restarted_ms = 0, None
            else:
                self._restarts, self._restarted_ms = self._restarts + 1, restart.at_ms
        return max(0, self._restarts - before) if self._samples else 0

    def _measure(self, at_ms: int) -> tuple[int, int, str]:
        """Output and input rate in billionths, and the state."""
        rng = self._rng
        if not self._input_comes:
            return 0, 0, "LOADING" if self._samples == 0 else "DEGRADED_INPUT"
        came = int(FPS * self._input_fps * (0.985 + 0.03 * rng.random()))
        if at_ms < self._visit.output_ms:
            return 0, came, "LOADING" if self._visit.cold and self._samples < 3 else "DEGRADED_INFERENCE"
        if at_ms < self._recovered_ms:
            return 0, came, "LOADING"
        self._mode = self._next_mode(rng.random())
        if self._mode == SLOW_INPUT:
            came = int(came * (0.1 + 0.25 * rng.random()))
        shown = min(came, int(FPS * self._cap_fps * (0.97 + 0.05 * rng.random())))
        if self._mode == SLOW_INFERENCE:
            shown = int(shown * (0.15 + 0.3 * rng.random()))
        return 0 if self._mode == STALL else shown, came, STATES[self._mode]

    def _next_mode(self, roll: float) -> int:
        """Trouble is rare and then stays for a few samples."""
        if self._mode != ONLINE:
            return ONLINE if roll < 0.45 else self._mode
        flaky = self._visit.slot.place.orchestrator.flaky
        if roll < self._slow_input:
            return SLOW_INPUT
        if roll > 1 - 0.008 * flaky:
            return SLOW_INFERENCE if roll < 1 - 0.002 * flaky else STALL
        return ONLINE

    def _count(self, tally: Tally, output: int, came: int, state: str, rises: int) -> None:
        self._samples += 1
        tally.add("statusSamples")
        if rises:
            tally.add("restarts", rises)
        if state.startswith("DEGRADED_"):
            tally.add("degradedSamples")
            if state == "DEGRADED_INPUT":
                tally.add("degradedInputSamples")
        if output or self._shown:
            self._shown = True
            tally.measure("outputFps", output)
            # "Over the same samples": warm-up is left out of the input rate as well.
            tally.measure("inputFps", came)
        else:
            self._zeros += 1
            self._inputs.add(came)
