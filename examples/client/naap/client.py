from typing import Any, Optional, Union

from .base_client import BaseClient
from .base_model import UNSET, UnsetType
from .input_types import WindowInput
from .last_event import LastEvent, LastEventNetwork
from .report import Report


def gql(q: str) -> str:
    return q


class Naap(BaseClient):
    def last_event(self, **kwargs: Any) -> Optional[LastEventNetwork]:
        query = gql("""
            query LastEvent {
              network {
                lastEventAt
              }
            }
            """)
        variables: dict[str, object] = {}
        response = self.execute(
            query=query, operation_name="LastEvent", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return LastEvent.model_validate(data).network

    def report(
        self,
        window: Union[Optional[WindowInput], UnsetType] = UNSET,
        first: Union[Optional[int], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> Report:
        query = gql("""
            query Report($window: WindowInput, $first: Int = 5) {
              network {
                lastEventAt
                metrics(window: $window) {
                  outcomes {
                    requested
                    served
                    unserved
                  }
                  outputFps {
                    value
                    p95
                    samples
                  }
                }
                demand(window: $window) {
                  streams
                  feesWei
                }
              }
              orchestrators(
                first: $first
                orderBy: {metric: "sessions", window: $window, direction: DESC}
              ) {
                nodes {
                  address
                  metrics(window: $window) {
                    sessions
                    failureRatePct {
                      value
                      target
                      met
                    }
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"window": window, "first": first}
        response = self.execute(
            query=query, operation_name="Report", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Report.model_validate(data)
