// Opens GraphiQL with a query that shows something on any data: its window ends at the latest event, not now.
"use strict";

const DAY_MS = 24 * 60 * 60 * 1000;

const QUERY = `# The network's last day, and its orchestrators with their GPUs. Press ▶ to ask again.
query Overview($window: WindowInput) {
  network {
    lastEventAt
    orchestratorCount
    gpuCount
    metrics(window: $window) {
      window { start end }
      outcomes { requested served startupFailed outputFailed abandoned unserved open }
      outputFps { value p50 p95 samples }
      promptToFirstFrameMs { value p50 p95 target met samples }
      failureRatePct { value target met samples }
    }
    demand(window: $window) { streams inferenceMinutes feesEth }
  }
  orchestrators(first: 10, orderBy: { metric: "sessions", window: $window, direction: DESC }) {
    totalCount
    edges {
      node {
        address
        lastSeenAt
        metrics(window: $window) {
          outputFps { value p95 }
          promptToFirstFrameMs { value p95 }
          swapRatePct { value }
          sessions
        }
        gpus(first: 5) { edges { node { gpuId model metrics(window: $window) { outputFps { value } sessions } } } }
      }
    }
  }
}
`;

const DASHBOARD_QUERY = `# What the NaaP dashboard shows of the last hours. Press ▶ to ask again.
query Dashboard($timeframe: String) {
  kpi(timeframe: $timeframe) {
    successRate { value delta }
    orchestratorsObserved { value delta }
    dailySessionCount { value delta }
    timeframeHours
  }
  pipelines(limit: 5, timeframe: $timeframe) { name mins sessions avgFps }
  gpuCapacity(timeframe: $timeframe) { totalGPUs activeGPUs models { model count } }
}
`;

const container = document.getElementById("graphiql");
const path = container.dataset.path || "/";
const isDashboard = path.endsWith("/dashboard/graphql");
const query = isDashboard ? DASHBOARD_QUERY : QUERY;

async function ask(body, options) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", ...(options && options.headers) },
    body: JSON.stringify(body),
  });
  return answer.json();
}

async function lastDay() {
  try {
    const answer = await ask({ query: "{ network { lastEventAt } }" });
    const last = Date.parse(answer.data.network.lastEventAt);
    if (Number.isFinite(last)) {
      // The end is excluded: the next full minute takes the latest event in.
      const end = Math.floor(last / 60000) * 60000 + 60000;
      return { start: new Date(end - DAY_MS).toISOString(), end: new Date(end).toISOString() };
    }
  } catch (error) {
    console.warn("no latest event", error);
  }
  return { last: "P1D" };
}

async function open() {
  const variables = isDashboard ? { timeframe: "24" } : { window: await lastDay() };
  const first = await ask({ query, variables }).catch((error) => ({ errors: [{ message: String(error) }] }));
  const storage = { getItem: () => null, setItem: () => {}, removeItem: () => {}, clear: () => {}, length: 0 };
  ReactDOM.render(
    React.createElement(GraphiQL, {
      fetcher: ask,
      query,
      variables: JSON.stringify(variables, null, 2),
      response: JSON.stringify(first, null, 2),
      storage,
      headerEditorEnabled: true,
      defaultVariableEditorOpen: true,
    }),
    container,
  );
}

open();
