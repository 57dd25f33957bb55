from .base_client import BaseClient
from .base_model import BaseModel, Upload
from .client import Naap
from .exceptions import (
    GraphQLClientError,
    GraphQLClientGraphQLError,
    GraphQLClientGraphQLMultiError,
    GraphQLClientHttpError,
    GraphQLClientInvalidResponseError,
)
from .input_types import WindowInput
from .last_event import LastEvent, LastEventNetwork
from .report import (
    Report,
    ReportNetwork,
    ReportNetworkDemand,
    ReportNetworkMetrics,
    ReportNetworkMetricsOutcomes,
    ReportNetworkMetricsOutputFps,
    ReportOrchestrators,
    ReportOrchestratorsNodes,
    ReportOrchestratorsNodesMetrics,
    ReportOrchestratorsNodesMetricsFailureRatePct,
)

__all__ = [
    "BaseClient",
    "BaseModel",
    "GraphQLClientError",
    "GraphQLClientGraphQLError",
    "GraphQLClientGraphQLMultiError",
    "GraphQLClientHttpError",
    "GraphQLClientInvalidResponseError",
    "LastEvent",
    "LastEventNetwork",
    "Naap",
    "Report",
    "ReportNetwork",
    "ReportNetworkDemand",
    "ReportNetworkMetrics",
    "ReportNetworkMetricsOutcomes",
    "ReportNetworkMetricsOutputFps",
    "ReportOrchestrators",
    "ReportOrchestratorsNodes",
    "ReportOrchestratorsNodesMetrics",
    "ReportOrchestratorsNodesMetricsFailureRatePct",
    "Upload",
    "WindowInput",
]
