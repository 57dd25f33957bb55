"""Nodes and their global ids: opaque texts that say which type and which key."""

import base64
import binascii

import strawberry

from graph.fields import field
from metrics.errors import BadRequest


@strawberry.interface(description="Something with a global id.")
class Node:
    """What `node(id)` can find."""

    key: strawberry.Private[str]

    @field("The global id: opaque, for `node(id)` and client caches.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(global_id(type(self).__name__, self.key))


def global_id(type_name: str, key: str) -> str:
    """The id of a thing."""
    return base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).decode().rstrip("=")


def read_global_id(text: str, argument: str = "id") -> tuple[str, str]:
    """The type's name and the key that an id stands for. Raises BadRequest for what is no id."""
    try:
        padded = text + "=" * (-len(text) % 4)
        type_name, colon, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        type_name, colon, key = "", "", ""
    if not colon or not key:
        raise BadRequest(f"{argument} {text!r} is not a global id. Take it from the `id` of an answer.", argument)
    return type_name, key
