"""The three documents that the NaaP dashboard sends, and the types that it was written against."""

NAAP_API_DATA = """query NaapApiData($timeframe: String) {
  kpi(timeframe: $timeframe) {
    successRate { value delta } orchestratorsObserved { value delta } dailyUsageMins { value delta }
    dailySessionCount { value delta } timeframeHours hourlyUsage { hour value } hourlySessions { hour value }
  }
  pipelines(limit: 200, timeframe: $timeframe) {
    name mins sessions avgFps color modelMins { model mins sessions avgFps }
  }
  pipelineCatalog { id name models regions }
}"""
REALTIME_DATA = """query RealtimeData($timeframe: String) {
  protocol { currentRound blockProgress totalBlocks totalStakedLPT }
  gpuCapacity(timeframe: $timeframe) {
    totalGPUs activeGPUs models { model count } pipelineGPUs { name gpus models { model gpus } }
  }
  pricing { pipeline model unit price avgWeiPerUnit pixelsPerUnit outputPerDollar capacity }
}"""
FEES_OVERVIEW = """query FeesOverview {
  fees(days: 180) {
    totalEth totalUsd oneDayVolumeUsd oneDayVolumeEth oneWeekVolumeUsd oneWeekVolumeEth
    volumeChangeUsd volumeChangeEth weeklyVolumeChangeUsd weeklyVolumeChangeEth
    dayData { dateS volumeEth volumeUsd } weeklyData { date weeklyVolumeUsd weeklyVolumeEth }
  }
}"""
TYPES = """
Query.kpi(window: String, timeframe: String, pipeline: String, model_id: String): KPI
Query.protocol: Protocol
Query.fees(days: Int): FeesInfo
Query.pipelines(limit: Int, timeframe: String): [PipelineUsage!]
Query.pipelineCatalog: [PipelineCatalogEntry!]
Query.gpuCapacity(timeframe: String): GPUCapacity
Query.pricing: [PipelinePricing!]
Query.orchestrators(period: String): [OrchestratorRow!]
HourlyBucket: hour String! / value Float!
MetricDelta: value delta Float!
KPI: successRate orchestratorsObserved dailyUsageMins dailySessionCount dailyNetworkFeesEth MetricDelta! /
  timeframeHours Int! / hourlyUsage hourlySessions [HourlyBucket!]
Protocol: currentRound blockProgress totalBlocks Int! / totalStakedLPT Float!
FeesInfo: totalEth totalUsd oneDayVolumeUsd oneDayVolumeEth oneWeekVolumeUsd oneWeekVolumeEth Float! /
  volumeChangeUsd volumeChangeEth weeklyVolumeChangeUsd weeklyVolumeChangeEth Float / dayData [FeeDayData!]! /
  weeklyData [FeeWeeklyData!]!
FeeDayData: dateS Int! / volumeEth volumeUsd Float!
FeeWeeklyData: date Int! / weeklyVolumeUsd weeklyVolumeEth Float!
PipelineUsage: name String! / mins avgFps Float! / sessions Int! / color String / modelMins [PipelineModelMins!]
PipelineModelMins: model String! / mins avgFps Float! / sessions Int!
PipelineCatalogEntry: id name String! / models regions [String!]!
GPUCapacity: totalGPUs activeGPUs Int! / availableCapacity Float! / models [GPUModelCapacity!]! /
  pipelineGPUs [GPUCapacityPipeline!]!
GPUModelCapacity: model String! / count Int!
GPUCapacityPipeline: name String! / gpus Int! / models [GPUCapacityPipelineModel!]
GPUCapacityPipelineModel: model String! / gpus Int!
PipelinePricing: pipeline unit outputPerDollar String! / model avgWeiPerUnit String / price Float! /
  pixelsPerUnit Float / capacity Int
OrchestratorRow: address String! / uris pipelines [String!]! / lastSeen String /
  knownSessions successSessions gpuCount Int! / successRatio Float! / effectiveSuccessRate noSwapRatio slaScore Float /
  pipelineModels [PipelineModelOffer!]!
PipelineModelOffer: pipelineId String! / modelIds [String!]!
"""
