"""Relay connections."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Generic, TypeVar

import strawberry

from resolvers.page import Page

T = TypeVar("T")
U = TypeVar("U")

FirstArgument = Annotated[
    int | None, strawberry.argument(description="So many from the front: 50 by default, at most 500.")
]
AfterArgument = Annotated[str | None, strawberry.argument(description="Go on behind this cursor.")]
LastArgument = Annotated[
    int | None, strawberry.argument(description="So many from the back, at most 500; not with first.")
]
BeforeArgument = Annotated[str | None, strawberry.argument(description="Stop in front of this cursor.")]


@strawberry.federation.type(shareable=True, description="Where a page lies.")
class PageInfo:
    """Of one page of a connection."""

    has_next_page: bool = strawberry.field(description="Is there more behind it?")
    has_previous_page: bool = strawberry.field(description="Is there more in front of it?")
    start_cursor: str | None = strawberry.field(description="The cursor of its first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor of its last edge.")


@strawberry.type(description="One item of a page, and the cursor to go on from.")
class Edge(Generic[T]):
    """A cursor and a node."""

    cursor: str = strawberry.field(description="Where this item stands in the order; opaque.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """What `Paged` is answered as."""

    edges: list[Edge[T]] = strawberry.field(description="The items with their cursors.")
    nodes: list[T] = strawberry.field(description="The items.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")
    total_count: int | None = strawberry.field(description="How many there are in all; counted only when asked.")


class Paged(Generic[U]):
    """A page as the executor reads it, by the names of Connection's fields."""

    def __init__(self, page: Page[U], count: Callable[[], int | Awaitable[int]]) -> None:
        self.nodes = [node for _, node in page.items]
        self._page = page
        self._count = count

    @property
    def edges(self) -> list[Edge[U]]:
        """The items with their cursors."""
        return [Edge(cursor=cursor, node=node) for cursor, node in self._page.items]

    @property
    def page_info(self) -> PageInfo:
        """Where the page lies."""
        cursors = [cursor for cursor, _ in self._page.items]
        return PageInfo(
            has_next_page=self._page.has_next,
            has_previous_page=self._page.has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )

    @property
    def total_count(self) -> int | Awaitable[int]:
        """How many there are in all."""
        return self._count()
