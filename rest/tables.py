"""The forms that a list can have beside JSON: which media type each is, what it is called, and who writes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers import media
from rest import arrow, csv
from rest.schema import Schema


@dataclass(frozen=True, slots=True)
class Form:
    """One form: `format=name` or its media type in Accept asks for it."""

    name: str
    media_type: str
    content_type: str
    write: Callable[[Sequence[Any], Schema], bytes]


JSON_NAME = "json"
CSV = Form("csv", media.CSV, f"{media.CSV}; charset=utf-8; header=present", csv.table)
ARROW = Form("arrow", arrow.STREAM, arrow.STREAM, arrow.stream)
PARQUET = Form("parquet", arrow.PARQUET, arrow.PARQUET, arrow.parquet)
FORMS: Sequence[Form] = (CSV, ARROW, PARQUET) if arrow.is_here() else (CSV,)
BY_MEDIA_TYPE: Mapping[str, Form] = {form.media_type: form for form in FORMS}
MEDIA_TYPES: Mapping[str, str] = {JSON_NAME: media.JSON} | {form.name: form.media_type for form in FORMS}
