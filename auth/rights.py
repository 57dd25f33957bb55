"""Who may read what: every field of the graph, named once, either public or private to an owner with a scope.

The graph is built from this table (guards, directives), the page docs/private-fields.md is written from it, and a test
walks the whole schema. A field that it does not name stops the start: nothing is public because somebody forgot it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from inspect import cleandoc

from auth.caller import Caller, Scope
from metrics.errors import Forbidden, GatewayError, Unauthenticated


class Party(StrEnum):
    """Whose something is."""

    ORCHESTRATOR = "orchestrator"
    GATEWAY = "gateway"

    def of(self, caller: Caller) -> frozenset[str]:
        """The wallets of this kind that a caller is, or acts for."""
        return caller.orchestrators if self is Party.ORCHESTRATOR else caller.gateways


@dataclass(frozen=True, slots=True)
class Private:
    """Only for its owner, for whoever acts for it, and for operators; each with the scope."""

    scope: Scope
    owner: Party


Rule = Private | None
PUBLIC: Rule = None
EARNINGS = Private(Scope.EARNINGS, Party.ORCHESTRATOR)
PAYMENTS = Private(Scope.PAYMENTS, Party.ORCHESTRATOR)
INCIDENTS = Private(Scope.INCIDENTS, Party.ORCHESTRATOR)
DISTANCES = Private(Scope.STANDING, Party.ORCHESTRATOR)
SESSIONS = Private(Scope.SESSIONS, Party.GATEWAY)

# A section is a rule and the fields that have it; a type whose fields have several rules stands in several sections.
# "*" names every field of a type that the catalogue of metrics makes. Inputs and orders are named too: what may be
# filtered or ordered by may be found out.
TABLE: tuple[tuple[Rule, str], ...] = (
    (
        PUBLIC,
        """
        Query: node nodes network orchestrator orchestrators gpu gpus workflow workflows gateway gateways regions
          stream streams leaderboard scoringVersions dataset datasets metricCatalogue viewer _service _entities
        Viewer: subject wallet roles scopes orchestrators gateways expiresAt delegations
        Delegation: id orchestrator delegate scopes issuedAt expiresAt revokedAt
        Mutation: requestNonce login refresh logout delegate revokeDelegation
        Subscription: metricsUpdated
        MetricsUpdate: cursor interval buckets
        LoginChallenge: nonce expiresAt domain uri chainId message
        Tokens: accessToken expiresAt refreshToken refreshExpiresAt wallet scopes orchestrators
        _Service: sdl
        Node: id
        Measured Gateway Gpu Network Orchestrator Region Workflow: metrics series demand demandSeries jobs
        DatasetConnection GatewayConnection GpuConnection OrchestratorConnection StreamConnection
          WorkflowConnection: edges nodes pageInfo totalCount
        DatasetEdge GatewayEdge GpuEdge OrchestratorEdge StreamEdge WorkflowEdge: cursor node
        PageInfo: hasNextPage hasPreviousPage startCursor endCursor
        Orchestrator: id address serviceUris nodeVersion regions firstSeenAt lastSeenAt stakeLpt gpus workflows
          slaScore ceiPct standing streams
        Gpu: id gpuId model vramBytes vramGib cudaCapability runnerVersion orchestrators workflows slaScore ceiPct
          firstSeenAt lastSeenAt
        Workflow: id name pipeline targets priceWeiPerPixel gpus orchestrators datasets slaScore
        WorkflowTargets: version isDefault outputFps promptToFirstFrameMs startupTimeS minVramGib gpuModels
        Gateway: id gatewayId address names region streams
        Region: id name
        Network: orchestratorCount gpuCount supply lastEventAt
        SupplyCell: region workflow gpus gpuMinutes inferenceMinutes capacityRatePct unserved
        Standing: window version rank of percentile
        Stream: id streamId startedAt lastEventAt workflow gateway sessions
        Session: requestId requestedAt endedAt outcome orchestrator gpu gpuAttribution region promptToFirstFrameMs
          promptToPlayableMs e2eLatencyMs outputFps swaps errors synthetic timeline
        TimelineEvent: at type subtype orchestrator state outputFps
        Dataset: id name version type workflow description promptCount license url sha256 updatedAt
        LeaderboardEntry: rank orchestrator score metrics
        MetricDefinition: name unit description formula direction target dimensions source evidence caveats statistics
        TimeWindow: start end
        Freshness: asOf lagSeconds partial
        Distribution Efficiency Measurement SlaMetrics JobMetrics Outcomes: *
        SwapReasonCount: reason count
        JobKindCount: kind count
        SlaSeries: window interval timeZone freshness buckets starts values
        SlaBucket: start end partial metrics
        Demand: window streams sessions unserved inferenceMinutes byGpuModel capacityRatePct feesWei feesEth
          feesWeiPerMinute faceValueWei tickets stakeLpt
        GpuModelDemand: gpuModel inferenceMinutes capacityRatePct
        DemandSeries: window interval timeZone freshness buckets starts values
        DemandBucket: start end partial demand
        SlaScore: value version window evidence subscores missing prior k workflows
        WorkflowScore: workflow value raw evidence subscores missing coverage targets
        Subscore: name value weight inputs
        ScoreInput: metric value samples good bad direction weight score enough benchmarkRows
        Coverage: factor signals expected
        ScoringVersion: name description isDefault prior k hasCoverage subscores
        ScoringSubscore: name weight inputs
        ScoringInput: metric unit description formula direction weight good bad thresholds enough
        WindowInput: last start end
        TextFilter AddressFilter: eq ne in notIn contains
        OutcomeFilter: eq ne in notIn
        TimeFilter: eq gt gte lt lte
        OrchestratorFilter: address workflow region gpuModel nodeVersion serviceUri firstSeenAt lastSeenAt and or not
        GpuFilter: gpuId model orchestrator workflow region firstSeenAt lastSeenAt and or not
        WorkflowFilter: name pipeline orchestrator region gpuModel firstSeenAt lastSeenAt and or not
        StreamFilter: startedAt workflow orchestrator gateway region gpu outcome and or not
        OrchestratorOrder GpuOrder: metric statistic window compareTo field direction
        StreamOrder: field direction
        OrchestratorOrderField: ADDRESS STAKE_LPT FIRST_SEEN_AT LAST_SEEN_AT
        GpuOrderField: GPU_ID MODEL VRAM_BYTES FIRST_SEEN_AT LAST_SEEN_AT
        StreamOrderField: STARTED_AT
        """,
    ),
    (
        EARNINGS,
        """
        Orchestrator: earnings
        EarningsBucket: start end partial feesWei feesEth faceValueWei tickets payments parts
        EarningsPart: gateway workflow feesWei feesEth faceValueWei tickets payments
        """,
    ),
    (
        PAYMENTS,
        """
        Orchestrator: payments
        PaymentConnection: edges nodes pageInfo totalCount
        PaymentEdge: cursor node
        Payment: at gateway workflow requestId tickets faceValueWei feesWei feesEth
        """,
    ),
    (
        INCIDENTS,
        """
        Orchestrator: incidents
        Subscription: incidents
        IncidentsUpdate: cursor incidents hasMore
        IncidentConnection: edges nodes pageInfo totalCount
        IncidentEdge: cursor node
        Incident: at kind streamId requestId gpu workflow gateway restarts text logs
        """,
    ),
    (
        DISTANCES,
        """
        Standing: distances
        PeerDistance: orchestrator rank points
        """,
    ),
    (
        SESSIONS,
        """
        Session: parameters clientAddresses
        SessionParameters: at prompt json
        """,
    ),
)


def _read(table: tuple[tuple[Rule, str], ...]) -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for rule, text in table:
        for line in re.split(r"\n(?=\S)", cleandoc(text)):
            types, _, fields = line.partition(":")
            for name in (f"{type_}.{field}" for type_ in types.split() for field in fields.split()):
                if name in found:
                    raise ValueError(f"auth/rights.py names {name} twice")
                found[name] = rule
    return found


# "Type.field" → its rule; "Type.*" for all of a type.
RULES: Mapping[str, Rule] = _read(TABLE)


def is_named(type_name: str, field: str) -> bool:
    """Does the table name this field?"""
    return not RULES.keys().isdisjoint((f"{type_name}.{field}", f"{type_name}.*"))


def rule_of(type_name: str, field: str) -> Rule:
    """The rule of a field that the table names."""
    name = f"{type_name}.{field}"
    return RULES[name] if name in RULES else RULES[f"{type_name}.*"]


def entitled(rule: Rule, caller: Caller, owner: str | None) -> bool:
    """May the caller read what has this rule and belongs to `owner`, a wallet (None: nobody known)?"""
    return rule is None or (rule.scope in caller.scopes and _owns(rule, caller, owner))


def refusal(rule: Rule, caller: Caller, owner: str | None, what: str) -> GatewayError | None:
    """Why the caller may not read `what`, and whose login or which scope would help; None where it may."""
    if rule is None or entitled(rule, caller, owner):
        return None
    if owner is None:
        login = "Its owner is not known: only an operator may read it"
    else:
        login = f"Log in as the {rule.owner} {owner}, or as a wallet that acts for it"
    if caller.subject is None:
        return Unauthenticated(f"{what} is private. {login}, with the scope {rule.scope}.")
    if not _owns(rule, caller, owner):
        return Forbidden(
            f"{what} is private to its {rule.owner}, which this login is not. {login}, with the scope {rule.scope}."
        )
    return Forbidden(f"{what} needs the scope {rule.scope}, which this login does not have. Log in again with it.")


def _owns(rule: Private, caller: Caller, owner: str | None) -> bool:
    return caller.subject is not None and (caller.operator or owner in rule.owner.of(caller))
