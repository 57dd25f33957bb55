"""The forms that a table can have: which media type each is, what it is called, and who writes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from resolvers import media
from resolvers.tables import arrow, csv
from resolvers.tables.column import Column, Row


@dataclass(frozen=True, slots=True)
class Form:
    """One form; a file of it ends with `.name`."""

    name: str
    media_type: str
    content_type: str
    write: Callable[[Sequence[Column], Sequence[Row]], bytes]

    def disposition(self, name: str) -> str:
        """`Content-Disposition` of a table of this name, which must be of letters, digits and the like."""
        return f'attachment; filename="{name}.{self.name}"'


CSV = Form("csv", media.CSV, f"{media.CSV}; charset=utf-8; header=present", csv.table)
ARROW = Form("arrow", arrow.STREAM, arrow.STREAM, arrow.stream)
PARQUET = Form("parquet", arrow.PARQUET, arrow.PARQUET, arrow.parquet)
FORMS: Sequence[Form] = (CSV, ARROW, PARQUET) if arrow.is_here() else (CSV,)
BY_MEDIA_TYPE: Mapping[str, Form] = {form.media_type: form for form in FORMS}
