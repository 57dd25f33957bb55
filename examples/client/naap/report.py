from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class Report(BaseModel):
    network: Optional["ReportNetwork"]
    orchestrators: Optional["ReportOrchestrators"]


class ReportNetwork(BaseModel):
    last_event_at: Optional[datetime] = Field(alias="lastEventAt")
    metrics: Optional["ReportNetworkMetrics"]
    demand: Optional["ReportNetworkDemand"]


class ReportNetworkMetrics(BaseModel):
    outcomes: "ReportNetworkMetricsOutcomes"
    output_fps: "ReportNetworkMetricsOutputFps" = Field(alias="outputFps")


class ReportNetworkMetricsOutcomes(BaseModel):
    requested: int
    served: int
    unserved: int


class ReportNetworkMetricsOutputFps(BaseModel):
    value: Optional[float]
    p_95: Optional[float] = Field(alias="p95")
    samples: int


class ReportNetworkDemand(BaseModel):
    streams: int
    fees_wei: int = Field(alias="feesWei")


class ReportOrchestrators(BaseModel):
    nodes: list["ReportOrchestratorsNodes"]


class ReportOrchestratorsNodes(BaseModel):
    address: str
    metrics: Optional["ReportOrchestratorsNodesMetrics"]


class ReportOrchestratorsNodesMetrics(BaseModel):
    sessions: int
    failure_rate_pct: "ReportOrchestratorsNodesMetricsFailureRatePct" = Field(
        alias="failureRatePct"
    )


class ReportOrchestratorsNodesMetricsFailureRatePct(BaseModel):
    value: Optional[float]
    target: Optional[float]
    met: Optional[bool]


Report.model_rebuild()
ReportNetwork.model_rebuild()
ReportNetworkMetrics.model_rebuild()
ReportOrchestrators.model_rebuild()
ReportOrchestratorsNodes.model_rebuild()
ReportOrchestratorsNodesMetrics.model_rebuild()
