"""The root of every mutation: signing in and out, and delegations. Nothing else is changed through the graph."""

from datetime import datetime
from typing import Annotated, Optional

import strawberry

from auth.logins import Challenge, Issued
from graph.entity import Ctx
from graph.fields import field
from graph.scalars import Address
from graph.viewer import Delegation, delegation_of

ScopesArgument = Annotated[
    Optional[list[str]],
    strawberry.argument(
        description="What the tokens should be good for, like earnings:read; null: all that may be had. "
        "Without `orchestrator` they act for those who delegated all of these."
    ),
]


def _argument(description: str) -> strawberry.types.arguments.StrawberryArgumentAnnotation:
    return strawberry.argument(description=description)


@strawberry.type(description="What to sign in with: a text for the wallet to sign (EIP-4361).")
class LoginChallenge:
    """A nonce and what goes with it."""

    nonce: str = strawberry.field(description="To stand in the message; good once.")
    expires_at: datetime = strawberry.field(description="Until when the nonce is good.")
    domain: str = strawberry.field(description="The domain that the message must be for.")
    uri: str = strawberry.field(description="The URI that it must be for.")
    chain_id: int = strawberry.field(description="The chain that it must be for.")
    message: Optional[str] = strawberry.field(
        description="The whole message, to be signed as it is; null where no address was given."
    )


@strawberry.type(description="Tokens: shown here once, kept nowhere.")
class Tokens:
    """What a login gives."""

    access_token: str = strawberry.field(description="To be sent as Authorization: Bearer ….")
    expires_at: datetime = strawberry.field(description="When the access token ends.")
    refresh_token: str = strawberry.field(description="Gives new tokens, once. Used twice it ends the login.")
    refresh_expires_at: datetime = strawberry.field(description="When the refresh token ends.")
    wallet: Address = strawberry.field(description="The wallet that signed in.")
    scopes: list[str] = strawberry.field(description="What the tokens are good for.")
    orchestrators: list[Address] = strawberry.field(description="The orchestrators that they act for.")


@strawberry.type(description="What can be changed: who is signed in, and who acts for whom. Sent with POST.")
class Mutation:
    """Each is null beside its error where it fails."""

    @field("Begin to sign in: get a nonce, and for a wallet the message to sign.")
    def request_nonce(
        self,
        info: Ctx,
        address: Annotated[Optional[Address], _argument("The wallet that will sign.")] = None,
    ) -> Optional[LoginChallenge]:
        info.context.attempt("nonce")
        return _challenge(info.context.door.logins.challenge(address))

    @field("Sign in with a message and the wallet's signature of it.")
    async def login(
        self,
        info: Ctx,
        message: Annotated[str, _argument("What was signed, to the letter.")],
        signature: Annotated[str, _argument("0x and 130 hexadecimal digits, as `personal_sign` gives.")],
        scopes: ScopesArgument = None,
        orchestrator: Annotated[
            Optional[Address], _argument("Act for this orchestrator alone, which delegated to the wallet.")
        ] = None,
    ) -> Optional[Tokens]:
        info.context.attempt("login")
        logins = info.context.door.logins
        return _tokens(await logins.login(message, signature, scopes, orchestrator, info.context.client))

    @field("New tokens for a refresh token, which is used up. Send no Authorization header that has expired.")
    async def refresh(
        self, info: Ctx, refresh_token: Annotated[str, _argument("The last one that was given.")]
    ) -> Optional[Tokens]:
        info.context.attempt("refresh")
        return _tokens(await info.context.door.logins.refresh(refresh_token, info.context.client))

    @field("End a login: that of a refresh token, else that of the access token that is sent. True also where it was.")
    async def logout(
        self,
        info: Ctx,
        refresh_token: Annotated[Optional[str], _argument("A refresh token of the login to end.")] = None,
    ) -> Optional[bool]:
        info.context.attempt("logout")
        await info.context.door.logout(info.context.caller, refresh_token, info.context.client)
        return True

    @field("Hand in a delegation that an orchestrator's wallet signed (EIP-712), as the orchestrator or the delegate.")
    async def delegate(
        self,
        info: Ctx,
        orchestrator: Annotated[Address, _argument("Who signed.")],
        delegate: Annotated[Address, _argument("Who may act.")],
        scopes: Annotated[list[str], _argument("With which scopes, like earnings:read.")],
        issued_at: Annotated[datetime, _argument("As it was signed.")],
        expires_at: Annotated[datetime, _argument("As it was signed; at most 366 days later.")],
        signature: Annotated[str, _argument("0x and 130 hexadecimal digits, as `eth_signTypedData_v4` gives.")],
    ) -> Optional[Delegation]:
        context = info.context
        context.attempt("delegate")
        kept = await context.door.grants.give(
            context.caller, orchestrator, delegate, scopes, issued_at, expires_at, signature, context.client
        )
        return delegation_of(kept)

    @field("Revoke a delegation that the caller's wallet gave or was given.")
    async def revoke_delegation(
        self, info: Ctx, id: Annotated[strawberry.ID, _argument("Which one.")]
    ) -> Optional[Delegation]:
        context = info.context
        context.attempt("revoke_delegation")
        return delegation_of(await context.door.grants.revoke(context.caller, id, context.client))


def _challenge(given: Challenge) -> LoginChallenge:
    return LoginChallenge(
        nonce=given.nonce,
        expires_at=given.expires_at,
        domain=given.domain,
        uri=given.uri,
        chain_id=given.chain_id,
        message=given.message,
    )


def _tokens(issued: Issued) -> Tokens:
    return Tokens(
        access_token=issued.access_token,
        expires_at=issued.expires_at,
        refresh_token=issued.refresh_token,
        refresh_expires_at=issued.refresh_expires_at,
        wallet=Address(issued.wallet),
        scopes=sorted(issued.scopes),
        orchestrators=[Address(one) for one in sorted(issued.orchestrators)],
    )
