"""The schema: what the contract fixes, what is described, and that its text is stable."""

import re
from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType
from graphql import build_schema as parsed
from strawberry.utils.str_converters import to_camel_case

from graph.meanings import MEANINGS
from graph.schema import sdl
from metrics.catalogue import METRICS, OUTCOMES

TEXT = sdl()
SCHEMA = parsed(TEXT)
EXPORTED = Path(__file__).parents[2] / "schema.graphql"

# As the contract writes them; what comes with later issues is not here.
FIELDS = """
Query: node nodes network orchestrator orchestrators gpu gpus workflow workflows gateway gateways regions stream
  streams dataset datasets metricCatalogue
Orchestrator: id address serviceUris nodeVersion regions firstSeenAt lastSeenAt gpus workflows metrics series demand
  demandSeries streams ceiPct earnings payments incidents
Gpu: ceiPct id gpuId model vramBytes vramGib cudaCapability runnerVersion orchestrators workflows firstSeenAt lastSeenAt
  metrics series
Workflow: id name pipeline gpus orchestrators datasets priceWeiPerPixel metrics series demand demandSeries
Gateway: id gatewayId address names region metrics series demand demandSeries
Region: id name metrics series demand demandSeries
Network: metrics series demand demandSeries supply orchestratorCount gpuCount lastEventAt
SupplyCell: region workflow gpus gpuMinutes inferenceMinutes capacityRatePct unserved
SlaMetrics: window freshness outputFps inputFps jitterCoefficient promptToFirstFrameMs promptToPlayableMs
  e2eLatencyMs startupTimeS failureRatePct unservedRatePct swapRatePct degradedPct ingestMbps egressMbps
  packetLossPct bandwidthUpMbps bandwidthDownMbps sessions streams errorEvents restarts clockSkew conflicts
  unresolvedSessions ambiguousGpuSessions degradedInputPct outcomes swapReasons cudaUtilizationEfficiencyPct
Efficiency: value samples target met tier confidence
Distribution: value p50 p95 p99 min max stddev samples target met comparedTo
Measurement: value samples target met comparedTo
SlaSeries: window interval freshness buckets starts values
SlaBucket: start end partial metrics
Freshness: asOf lagSeconds partial
Demand: window streams sessions unserved inferenceMinutes byGpuModel capacityRatePct feesWei feesEth faceValueWei
  tickets stakeLpt
DemandSeries: window interval freshness buckets
Stream: id streamId startedAt lastEventAt workflow gateway sessions
Session: requestId requestedAt endedAt outcome orchestrator gpu gpuAttribution region promptToFirstFrameMs
  promptToPlayableMs e2eLatencyMs outputFps swaps errors synthetic timeline
Dataset: id name version type workflow description promptCount license url sha256 updatedAt
TimelineEvent: at type subtype orchestrator state outputFps
Viewer: subject wallet roles scopes orchestrators gateways expiresAt delegations
Mutation: requestNonce login refresh logout delegate revokeDelegation
MetricDefinition: name unit description formula direction target dimensions source
OrchestratorConnection: nodes edges pageInfo totalCount
"""


@pytest.mark.parametrize("line", re.split(r"\n(?=\w)", FIELDS.strip()))
def test_the_contracts_fields_are_there(line) -> None:
    name, fields = line.split(": ")

    assert set(fields.split()) <= set(SCHEMA.type_map[name].fields)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("Measured.metrics", "window workflow region gateway synthetic compareTo"),
        ("Measured.series", "window interval maxPoints workflow region gateway synthetic fill timeZone"),
        ("Measured.demand", "window workflow region gateway synthetic"),
        ("Measured.demandSeries", "window interval maxPoints workflow region gateway synthetic fill timeZone"),
        ("Query.orchestrators", "filter orderBy first after last before"),
        ("Query.gpus", "filter orderBy first after last before"),
        ("Query.workflows", "filter first after last before"),
        ("Query.gateways", "first after last before"),
        ("Query.streams", "filter orderBy first after last before"),
        ("Query.dataset", "name"),
        ("Query.datasets", "workflow type first after last before"),
        ("Orchestrator.gpus", "first after last before"),
        ("Orchestrator.streams", "filter first after last before"),
        ("SlaSeries.values", "metric statistic"),
    ],
)
def test_the_contracts_arguments_are_there(field, arguments) -> None:
    type_name, _, name = field.partition(".")

    assert list(SCHEMA.type_map[type_name].fields[name].args) == arguments.split()


def test_each_metric_of_the_catalogue_is_a_field_with_its_meaning() -> None:
    fields = SCHEMA.type_map["SlaMetrics"].fields

    for metric in METRICS:
        description = fields[to_camel_case(metric.name)].description
        assert metric.doc in description
        assert metric.is_count or metric.unit in description
        assert not re.search(r"_n\b|_sum\b|×|In count", description), "formulas stand in metricCatalogue"
    assert {to_camel_case(name) for name in OUTCOMES} == set(SCHEMA.type_map["Outcomes"].fields)


REQUIRED = ("nodes", "metricCatalogue", "scoringVersions", "_entities", "_service")


def test_whatever_needs_a_read_is_nullable() -> None:
    for name, field in SCHEMA.type_map["Query"].fields.items():
        assert str(field.type).endswith("!") is (name in REQUIRED), name
    for name, field in SCHEMA.type_map["Measured"].fields.items():
        assert not str(field.type).endswith("!"), name


def test_everything_is_described() -> None:
    bare = []
    for name, type_ in SCHEMA.type_map.items():
        if name.startswith("__") or name in ("Boolean", "Float", "ID", "Int", "String"):
            continue
        if not type_.description:
            bare.append(name)
        if isinstance(type_, GraphQLEnumType):
            bare += [f"{name}.{value}" for value, one in type_.values.items() if not one.description]
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field_name, field in type_.fields.items():
                if not field.description:
                    bare.append(f"{name}.{field_name}")
                for argument_name, argument in getattr(field, "args", {}).items():
                    if not argument.description:
                        bare.append(f"{name}.{field_name}({argument_name})")
    for directive in SCHEMA.directives:
        described = {"": directive, **directive.args}
        bare += [f"@{directive.name}({part})" for part, one in described.items() if not one.description]

    assert bare == []
    written = {f"{name}.{value}" for name, one in SCHEMA.type_map.items() for value in getattr(one, "values", ())}
    written |= {f"@{one.name}.{argument}" for one in SCHEMA.directives for argument in one.args}
    assert MEANINGS.keys() <= written, "meanings of what is no more"


def test_the_text_is_the_same_every_time() -> None:
    assert sdl() == TEXT
    assert TEXT.endswith("\n")
    assert not TEXT.endswith("\n\n")


@pytest.mark.skipif(not EXPORTED.exists(), reason="schema.graphql is not exported yet")
def test_the_exported_schema_is_fresh() -> None:
    assert EXPORTED.read_text() == TEXT, "run `make schema`"
