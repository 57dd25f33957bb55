from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class LastEvent(BaseModel):
    network: Optional["LastEventNetwork"]


class LastEventNetwork(BaseModel):
    last_event_at: Optional[datetime] = Field(alias="lastEventAt")


LastEvent.model_rebuild()
