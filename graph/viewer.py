"""`viewer`: who asks, what they may, and the delegations that they gave or were given."""

from datetime import datetime
from typing import Optional

import strawberry
from strawberry.types import Info

from auth.caller import Caller, Role
from auth.store.delegations import Kept
from graph.fields import field
from graph.scalars import Address, address_or_none
from resolvers.context import Context

strawberry.enum(Role, name="CallerRole", description="As what somebody may ask.")


@strawberry.type(description="One wallet's word that another may act for it.")
class Delegation:
    """What was signed."""

    id: strawberry.ID = strawberry.field(description="By which it is revoked.")
    orchestrator: Address = strawberry.field(description="The wallet that is acted for, and that signed.")
    delegate: Address = strawberry.field(description="The wallet that may act.")
    scopes: list[str] = strawberry.field(description="What it may read, like earnings:read.")
    issued_at: datetime = strawberry.field(description="When it was signed.")
    expires_at: datetime = strawberry.field(description="When it ends by itself.")
    revoked_at: Optional[datetime] = strawberry.field(description="When it was revoked; null while it is in force.")


@strawberry.type(description="Somebody who has signed in, or a machine with a token.")
class Viewer:
    """The caller."""

    caller: strawberry.Private[Caller]

    @field("By which budgets and logs know it: a wallet, or the name of a machine.")
    def subject(self) -> str:
        return self.caller.subject or ""

    @field("The wallet that signed in; null for a machine.")
    def wallet(self) -> Optional[Address]:
        return address_or_none(self.caller.wallet)

    @field("As what it may ask.")
    def roles(self) -> list[Role]:
        return sorted(self.caller.roles)

    @field("What its token is good for, like earnings:read.")
    def scopes(self) -> list[str]:
        return sorted(self.caller.scopes)

    @field("The orchestrators whose private data it may read, itself among them: each with all of its scopes.")
    def orchestrators(self) -> list[Address]:
        return [Address(one) for one in sorted(self.caller.orchestrators)]

    @field("The gateways whose private data it may read.")
    def gateways(self) -> list[Address]:
        return [Address(one) for one in sorted(self.caller.gateways)]

    @field("When its token ends; null for one that does not.")
    def expires_at(self) -> Optional[datetime]:
        return self.caller.expires_at

    @field("The delegations in force that its wallet gave or was given, those that end last first; at most 100.")
    async def delegations(self, info: Info[Context, None]) -> Optional[list[Delegation]]:
        if self.caller.wallet is None:
            return []
        return [delegation_of(one) for one in await info.context.door.grants.listed(self.caller)]


def viewer_of(caller: Caller) -> Viewer | None:
    """The caller as `viewer` tells it."""
    return None if caller.subject is None else Viewer(caller=caller)


def delegation_of(kept: Kept) -> Delegation:
    """A delegation as it is told."""
    given = kept.delegation
    return Delegation(
        id=strawberry.ID(kept.id),
        orchestrator=Address(given.orchestrator),
        delegate=Address(given.delegate),
        scopes=sorted(given.scopes),
        issued_at=given.issued_at,
        expires_at=given.expires_at,
        revoked_at=kept.revoked_at,
    )
