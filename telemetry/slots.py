"""Supply: which GPUs a service URI advertises and how many are busy, as facts that last up to an hour. Pure.

Everything is decided between two instants at which nothing changes. What holds then is a set of *lights*: one for each
GPU that is advertised, one for each that is busy. A fact is a light from the moment it comes on until it goes out, cut
at whole hours. So that lights may be added up, a busy GPU is told as closely as it is known, and once: by its id; what
its model's sessions need beyond those, by model; what the URI's sessions need beyond these, by URI.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from backends.log import Card, Showing, SupplyHour
from metrics import supply as c
from metrics.fact import Dims, Fact
from metrics.measure import Column
from metrics.window import DAY_MS, HOUR_MS
from telemetry.flops import Flops

# What one URI is believed to advertise: more comes of a broken snapshot, and would make as many facts for every hour.
MOST_CARDS = 1_000


class Run(NamedTuple):
    """A session's stay at the URI, and what is known of it there."""

    start_ms: int
    end_ms: int
    dims: Dims

    @property
    def gpu(self) -> str | None:
        """The GPU, where it is known which."""
        return self.dims[2]

    @property
    def gpu_model(self) -> str | None:
        """The model of the GPU, where that is known."""
        return self.dims[3]

    @property
    def workflow(self) -> str | None:
        """The session's workflow."""
        return self.dims[4]


class Site(NamedTuple):
    """A service URI of one source, and the region it is configured for."""

    source: str
    uri: str
    region: str | None


class Gpu(NamedTuple):
    """What a snapshot says of a GPU: its model, if it has one, and the workflows that it is offered for by name."""

    model: str | None
    workflows: frozenset[str]


class Light(NamedTuple):
    """Something that holds at an instant, and counts as one; `copy` tells equal ones apart."""

    dims: Dims
    column: Column
    copy: int = 0
    level: int | None = None  # what is held meanwhile, where that is not just time


def supply_facts(
    site: Site, showings: Iterable[Showing], runs: Iterable[Run], hours: Collection[int], flops: Flops
) -> Iterator[Fact]:
    """The facts of these hours (their starts), from the URI's snapshots of 24 hours before them on and its sessions."""
    shown = [stretch for stretch in _in_force(showings) if stretch.cards]
    ran = sorted((run for run in runs if run.start_ms < run.end_ms), key=lambda run: run.start_ms)
    idle: dict[int, list[Fact]] = {}
    for hour_ms in sorted(hours):
        until_ms = hour_ms + HOUR_MS
        here = [one for one in shown if one.start_ms < until_ms and one.end_ms > hour_ms]
        busy = [run for run in ran if run.start_ms < until_ms and run.end_ms > hour_ms]
        if here and not busy and here[0].start_ms <= hour_ms and here[0].end_ms >= until_ms:
            # Most hours: nothing runs and nothing changes, as in the hour before.
            since_ms = here[0].start_ms
            if since_ms not in idle:
                idle[since_ms] = list(_numbered(site, _of_hour(site, here, busy, hour_ms, flops)))
            same = enumerate(idle[since_ms], 1)
            yield from (fact._replace(key=f"{hour_ms}/{number}", at_ms=hour_ms) for number, fact in same)
        elif here or busy:
            yield from _numbered(site, _of_hour(site, here, busy, hour_ms, flops))


class Stretch(NamedTuple):
    """What a URI advertises for a while, and the one wallet that it names, if it is one."""

    start_ms: int
    end_ms: int
    wallet: str | None
    cards: Sequence[Card]  # with a GPU


NOTHING = Stretch(0, 0, None, ())


def _in_force(showings: Iterable[Showing]) -> Iterator[Stretch]:
    """From when until when each snapshot counts: until the next one, 24 hours at most."""
    ordered = sorted(showings, key=lambda showing: showing.first_ms)
    for number, showing in enumerate(ordered, 1):
        following = ordered[number].first_ms if number < len(ordered) else None
        end_ms = showing.last_ms + DAY_MS
        wallets = {card.wallet for card in showing.cards} - {""}
        yield Stretch(
            showing.first_ms,
            end_ms if following is None else min(end_ms, following),
            wallets.pop() if len(wallets) == 1 else None,
            [card for card in showing.cards if card.gpu][:MOST_CARDS],
        )


def _of_hour(
    site: Site, shown: Sequence[Stretch], ran: Sequence[Run], hour_ms: int, flops: Flops
) -> Iterator[tuple[Light, int, int]]:
    """Each light of one hour, with the instants at which it comes on and goes out; `ran` in order of their starts."""
    end_ms = hour_ms + HOUR_MS
    changes = [edge for one in shown for edge in (one.start_ms, one.end_ms)]
    changes += [edge for run in ran for edge in (run.start_ms, run.end_ms)]
    edges = {hour_ms, end_ms, *(edge for edge in changes if hour_ms < edge < end_ms)}
    since: dict[Light, int] = {}
    running: list[Run] = []
    begun = 0
    for at_ms, _ in pairwise(sorted(edges)):
        while begun < len(ran) and ran[begun].start_ms <= at_ms:
            running.append(ran[begun])
            begun += 1
        running = [run for run in running if run.end_ms > at_ms]
        advertised = next((one for one in shown if one.start_ms <= at_ms < one.end_ms), NOTHING)
        lit = {*_lights(site, advertised, running), *_put_to_use(running, flops)}
        for light in since.keys() - lit:
            yield light, since.pop(light), at_ms
        since |= dict.fromkeys(lit - since.keys(), at_ms)
    yield from ((light, start_ms, end_ms) for light, start_ms in since.items())


def _numbered(site: Site, spans: Iterable[tuple[Light, int, int]]) -> Iterator[Fact]:
    """Lights as facts; those of one span and the same dimensions are one fact."""
    together: dict[tuple[int, int, Dims, int], dict[str, int]] = defaultdict(dict)
    for light, start_ms, end_ms in spans:
        values = together[start_ms, end_ms, light.dims, light.copy]
        values[(light.column.held or light.column).name] = end_ms - start_ms
        if light.level is not None:
            values[light.column.name] = light.level
    numbers: Counter[int] = Counter()
    for key in sorted(together, key=lambda key: (*key[:2], tuple(value or "" for value in key[2]), key[3])):
        start_ms, _, dims, _ = key
        numbers[start_ms] += 1
        yield Fact(site.uri, f"{start_ms}/{numbers[start_ms]}", start_ms, dims, dict(sorted(together[key].items())))


def _lights(site: Site, advertised: Stretch, running: Sequence[Run]) -> Iterator[Light]:
    """Everything that holds at one instant: of the URI as a whole, and of each workflow that it offers by name."""
    gpus, wallet = _gpus(advertised.cards), advertised.wallet
    # The whole is filed under a GPU's first workflow, so that it shares a fact with it. It is never asked by workflow.
    filed = {gpu: min(one.workflows, default=None) for gpu, one in gpus.items()}
    yield from _capacity(site, wallet, gpus, running, filed, None, (c.GPU_MS, c.BUSY_MS))
    offering: dict[str, dict[str, Gpu]] = defaultdict(dict)
    for gpu, one in gpus.items():
        for workflow in one.workflows:
            offering[workflow][gpu] = one
    own: dict[str | None, list[Run]] = defaultdict(list)
    for run in running:
        own[run.workflow].append(run)
    columns = c.WORKFLOW_GPU_MS, c.WORKFLOW_BUSY_MS
    for workflow, some in offering.items():
        yield from _capacity(site, wallet, some, own[workflow], dict.fromkeys(some, workflow), workflow, columns)


def _put_to_use(running: Sequence[Run], flops: Flops) -> Iterator[Light]:
    """The peak of each GPU on which a session with published figures runs, once: in all, and by workflow and region.

    Of sessions that share a GPU the first one carries what they share. Filed as the samples that are held against it.
    """
    shared: dict[tuple[Dims, int], set[tuple[str, str]]] = defaultdict(set)
    for run in running:
        if figures := flops.known(run.dims):
            source, wallet, gpu, model, workflow, _, region, _ = run.dims
            shared[(source, wallet, gpu, model), figures[0]].add((workflow or "", region or ""))
    for (who, peak), pairs in shared.items():
        workflows, regions = set[str](), set[str]()
        for workflow, region in sorted(pairs):
            columns = [c.WORKFLOW_REGION_PEAK]
            columns += [c.WORKFLOW_PEAK] if workflow not in workflows else []
            columns += [c.REGION_PEAK] if region not in regions else []
            columns += [] if workflows else [c.PEAK]
            workflows.add(workflow)
            regions.add(region)
            dims = (*who, workflow, None, region or None, None)
            yield from (Light(dims, column, level=peak) for column in columns)


def _gpus(cards: Iterable[Card]) -> dict[str, Gpu]:
    """The distinct GPUs that snapshot rows name."""
    models: dict[str, set[str]] = defaultdict(set)
    workflows: dict[str, set[str]] = defaultdict(set)
    for card in cards:
        models[card.gpu].add(card.gpu_model)
        workflows[card.gpu].add(card.workflow)
    told = {gpu: names - {""} for gpu, names in models.items()}
    return {
        gpu: Gpu(next(iter(names)) if len(names) == 1 else None, frozenset(workflows[gpu] - {""}))
        for gpu, names in told.items()
    }


def _capacity(
    site: Site,
    wallet: str | None,
    gpus: Mapping[str, Gpu],
    running: Sequence[Run],
    filed: Mapping[str, str | None],
    workflow: str | None,
    columns: tuple[Column, Column],
) -> Iterator[Light]:
    """One light for each GPU, and min(sessions, GPUs) in all for busy ones, told as closely as they are known."""
    advertised, busy = columns

    def dims(gpu: str | None, model: str | None, workflow: str | None) -> Dims:
        return (site.source, wallet, gpu, model, workflow, None, site.region, None)

    for gpu, one in gpus.items():
        yield Light(dims(gpu, one.model, filed[gpu]), advertised)
    occupied = {run.gpu for run in running}
    taken = [gpu for gpu in gpus if gpu in occupied]
    for gpu in taken:
        yield Light(dims(gpu, gpus[gpu].model, filed[gpu]), busy)
    told = len(taken)
    have = Counter(one.model for one in gpus.values() if one.model)
    known = Counter(gpus[gpu].model for gpu in taken)
    need = Counter(_model(run, gpus) for run in running)
    for model in have:
        spare = min(need[model], have[model]) - known[model]
        told += spare
        yield from (Light(dims(None, model, workflow), busy, copy) for copy in range(spare))
    rest = min(len(running), len(gpus)) - told
    yield from (Light(dims(None, None, workflow), busy, copy) for copy in range(rest))


def _model(run: Run, gpus: Mapping[str, Gpu]) -> str | None:
    """The model of a session's GPU: as it is advertised now, else as the session's own snapshot said."""
    return gpus[run.gpu].model if run.gpu is not None and run.gpu in gpus else run.gpu_model


def hours_of(source: str, uri: str, start_ms: int, end_ms: int) -> Iterator[SupplyHour]:
    """The hours at a URI that [start, end] touches."""
    first_ms = start_ms // HOUR_MS * HOUR_MS
    return (SupplyHour(source, uri, hour_ms) for hour_ms in range(first_ms, end_ms + 1, HOUR_MS))
