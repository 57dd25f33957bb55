"""Every table, declared once and for every engine: columns with abstract types, sort keys, versions.

All times are Unix milliseconds. Text is never null: "" stands for None and is mapped at the edge. Of the rows with one
key a `versioned` table keeps the one with the highest `ver`, and none where that one is `deleted`.
"""

from dataclasses import dataclass
from enum import Enum, auto

from metrics import supply
from metrics.columns import COLUMNS, MEASURES
from metrics.dimension import DIMENSIONS
from metrics.measure import Aggregate, Measure, Width
from metrics.sighting import TRAITS


class Kind(Enum):
    """What a column holds."""

    TEXT = auto()
    TAG = auto()  # text of few distinct values
    INT = auto()  # 64 bits, signed
    COUNT = auto()  # 64 bits, unsigned
    WIDE = auto()  # 128 bits
    HUGE = auto()  # 256 bits
    FLAG = auto()
    DIGEST = auto()  # 32 bytes
    BLOB = auto()  # bytes, compressed well
    TEXTS = auto()
    INTS = auto()
    HISTOGRAM = auto()  # bucket → count


@dataclass(frozen=True, slots=True)
class Field:
    """One column."""

    name: str
    kind: Kind
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `key` is its order and its identity; `ranges` are columns worth a min-max index."""

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    versioned: bool = True
    ranges: tuple[str, ...] = ()
    # How many rows an index entry covers: small where single rows are looked up.
    granule: int = 8192

    def field(self, name: str) -> Field:
        """The column of this name."""
        return next(field for field in self.every if field.name == name)

    @property
    def every(self) -> tuple[Field, ...]:
        """All columns, those of the version included."""
        return (*self.fields, VER, DELETED) if self.versioned else self.fields


def _fields(**kinds: Kind) -> tuple[Field, ...]:
    return tuple(Field(name, kind) for name, kind in kinds.items())


TEXT, TAG, INT, COUNT, FLAG = Kind.TEXT, Kind.TAG, Kind.INT, Kind.COUNT, Kind.FLAG
VER, DELETED = Field("ver", COUNT), Field("deleted", FLAG)
DIMS = tuple(Field(dimension.value, TAG) for dimension in DIMENSIONS)
TRAIT_FIELDS = tuple(Field(trait.value, TAG) for trait in TRAITS)

_SUM_KIND = {Width.INT64: Kind.WIDE, Width.INT256: Kind.HUGE}


def of_measure(measure: Measure) -> Field:
    """The rollup column of a measure: wide enough that no sum of values that fit a fact can overflow."""
    kinds = {
        Aggregate.COUNT: COUNT,
        Aggregate.SUM: _SUM_KIND[measure.column.width],
        Aggregate.SUMSQ: Kind.HUGE,
        Aggregate.MIN: INT,
        Aggregate.MAX: INT,
        Aggregate.HISTOGRAM: Kind.HISTOGRAM,
        Aggregate.SPAN: Kind.WIDE if measure.column.held else INT,
    }
    return Field(measure.name, kinds[measure.aggregate], measure.aggregate in (Aggregate.MIN, Aggregate.MAX))


# The raw log. `seq` numbers appends.
RAW = Table(
    "raw",
    _fields(owner=TEXT, at_ms=INT, source=TAG, id=TEXT, sha=Kind.DIGEST, type=TAG, body=Kind.BLOB),
    ("owner", "at_ms", "source", "id"),
    ranges=("ver",),
    granule=1024,
)
# `hash` is 64 bits of (source, id): thousands of random ids are looked up at once, and eight bytes are fast.
IDS = Table(
    "ids",
    _fields(hash=INT, source=TAG, id=TEXT, sha=Kind.DIGEST, at_ms=INT, owner=TEXT),
    ("hash", "source", "id"),
    granule=512,
)
CONFLICTS = Table(
    "conflicts",
    _fields(source=TAG, id=TEXT, sha=Kind.DIGEST, at_ms=INT, owner=TEXT, type=TAG, body=Kind.BLOB),
    ("source", "id", "sha"),
)
REJECTED = Table(
    "rejected", _fields(source=TAG, sha=Kind.DIGEST, reason=TAG, detail=TEXT, body=Kind.BLOB), ("source", "sha")
)  # fmt: skip
# Named numbers that must survive: what is derived.
MARKS = Table("marks", _fields(name=TAG, value=INT), ("name",))

# Where the rows of an owner (a request id, a stream …) may be found: `slot` is the row's stretch of time. Never too few
# entries, possibly too many: whoever reads through it tests the row itself again.
PATHS = Table(
    "paths",
    _fields(kind=TAG, value=TEXT, slot=INT, owner=TEXT),
    ("kind", "value", "slot", "owner"),
    versioned=False,
    granule=1024,
)
# Buckets whose rollups must be computed again.
STALE = Table("stale", _fields(kind=TAG, bucket_ms=INT), ("kind", "bucket_ms"))

FACTS = Table(
    "facts",
    (
        *_fields(slot=INT, owner=TEXT, key=TEXT, at_ms=INT, digest=COUNT),
        *DIMS,
        *(Field(column.name, INT if column.width is Width.INT64 else Kind.HUGE, nullable=True) for column in COLUMNS),
    ),
    ("slot", "owner", "key"),
)


# Facts that last up to an hour. `slot` is that hour, `owner` the service URI.
SUPPLY = Table(
    "supply",
    (
        *_fields(slot=INT, owner=TEXT, key=TEXT, at_ms=INT, digest=COUNT),
        *DIMS,
        *(Field(column.name, INT, nullable=True) for column in supply.COLUMNS),
    ),
    ("slot", "source", "owner", "key"),
)


def _rollup(name: str) -> Table:
    fields = (Field("bucket_ms", INT), *DIMS, *(of_measure(measure) for measure in MEASURES))
    return Table(name, fields, ("bucket_ms", *(dimension.value for dimension in DIMENSIONS)), granule=1024)


FACTS_MINUTE, FACTS_HOUR, FACTS_DAY = _rollup("facts_minute"), _rollup("facts_hour"), _rollup("facts_day")

SIGHTINGS = Table(
    "sightings",
    (*_fields(slot=INT, owner=TEXT, key=TEXT, first_ms=INT, last_ms=INT, digest=COUNT), *TRAIT_FIELDS),
    ("slot", "owner", "key"),
)


def _sightings_rollup(name: str) -> Table:
    fields = (Field("bucket_ms", INT), *TRAIT_FIELDS, *_fields(first_ms=INT, last_ms=INT))
    return Table(name, fields, ("bucket_ms", *(trait.value for trait in TRAITS)))


SIGHTINGS_HOUR, SIGHTINGS_DAY = _sightings_rollup("sightings_hour"), _sightings_rollup("sightings_day")

# The columns of backends.backend.SessionRecord, under their own names.
RECORD_FIELDS = (
    *_fields(owner=TEXT, source=TAG, stream_id=TEXT, request_id=TEXT, requested_ms=INT, last_ms=INT, ended=FLAG),
    *_fields(outcome=TAG, orchestrator=TAG, gpu=TAG, gpu_model=TAG, gpu_attribution=TAG, workflow=TAG),
    *_fields(gateway=TAG, region=TAG, synthetic=TAG),
    Field("prompt_to_first_frame_us", INT, nullable=True),
    Field("prompt_to_playable_us", INT, nullable=True),
    Field("e2e_latency_us", INT, nullable=True),
    *_fields(swaps=INT, errors=INT, sums=Kind.TEXT, wallets=Kind.TEXT),
)
# The columns of backends.log.StoredSession beside its record.
STORED_FIELDS = (
    *_fields(first_ms=INT, open=FLAG, gateway_name=TAG, paid_gateway=TAG, paid_workflow=TAG, workflow_by_uri=FLAG),
    *_fields(places=Kind.TEXTS, named_ms=Kind.INTS, claim_ms=Kind.INTS, offer_ms=Kind.INTS, state=Kind.BLOB),
)
SESSIONS = Table(
    "sessions",
    (
        Field("slot", INT),
        *RECORD_FIELDS,
        *STORED_FIELDS,
        # Bounds that let whole stretches of sessions be skipped: see backends.clickhouse.sessions.
        *_fields(claim_reach_ms=INT, named_first_ms=INT, named_last_ms=INT),
    ),
    ("slot", "owner"),
    ranges=("requested_ms", "first_ms", "last_ms", "claim_reach_ms", "named_first_ms", "named_last_ms"),
    granule=1024,
)

CLAIMS = Table(
    "claims",
    _fields(source=TAG, place=TEXT, at_ms=INT, wallet=TEXT, id=TEXT),
    ("source", "place", "at_ms", "id", "wallet"),
    granule=1024,
)
OFFERS = Table(
    "offers",
    _fields(source=TAG, uri=TEXT, at_ms=INT, id=TEXT, n=INT, gpu=TEXT, gpu_model=TAG, workflow=TAG, wallet=TAG),
    ("source", "uri", "at_ms", "id", "n"),
    granule=1024,
)
PAYMENTS = Table(
    "payments",
    (
        Field("slot", INT),
        *_fields(source=TAG, id=TEXT, at_ms=INT, uri=TAG, recipient=TAG, sender=TAG, session_id=TEXT, request_id=TEXT),
        *_fields(model=TAG, gateway_name=TAG, tickets=INT),
        Field("face_value_wei", Kind.HUGE, nullable=True),
        Field("fees_wei", Kind.HUGE, nullable=True),
    ),
    ("slot", "source", "id"),
    granule=1024,
)
STAKES = Table(
    "stakes",
    _fields(source=TAG, orchestrator=TEXT, at_ms=INT, id=TEXT, lptu=Kind.HUGE),
    ("orchestrator", "at_ms", "source", "id"),
    granule=1024,
)

# A list of keys asked for, filled and emptied by the one writer: binding thousands of values as parameters is slow.
WANTED = Table("wanted", _fields(a=TEXT, b=TEXT, n=INT), (), versioned=False)

TABLES = (
    *(RAW, IDS, CONFLICTS, REJECTED, MARKS, PATHS, STALE, FACTS, FACTS_MINUTE, FACTS_HOUR, FACTS_DAY, SUPPLY),
    *(SIGHTINGS, SIGHTINGS_HOUR, SIGHTINGS_DAY, SESSIONS, CLAIMS, OFFERS, PAYMENTS, STAKES, WANTED),
)  # fmt: skip
