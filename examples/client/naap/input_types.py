from datetime import datetime
from typing import Optional

from .base_model import BaseModel


class WindowInput(BaseModel):
    """A window of time, half-open: it includes its start and excludes its end. Either `last` alone (until now) or `start` and `end` together; without any of them the last hour (PT1H)."""

    last: Optional[str] = None
    "The length of a window that ends now."
    start: Optional[datetime] = None
    "When it starts, included."
    end: Optional[datetime] = None
    "When it ends, excluded."
