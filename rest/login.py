"""Signing in, staying signed in, delegations, and the keys to check our tokens with: `/auth/…`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from auth.caller import OWN_SCOPES
from auth.logins import Issued
from auth.signature import read_address
from auth.store.delegations import Kept
from rest import schema
from rest.operation import Exchanged, Visit
from rest.page import instant
from rest.parameter import Parameter
from rest.params import moment, plain, wallet

_SCOPE: schema.Schema = {"type": "string", "enum": sorted(OWN_SCOPES), "description": "What may be read."}
_ANY = "|".join(sorted(OWN_SCOPES))
_SCOPES = schema.listing(_SCOPE, "What the tokens are to be good for; left out: all that may be had.")
_ADDRESS: Mapping[str, Any] = {"pattern": "^0[xX][0-9a-fA-F]{40}$"}
_SIGNATURE = schema.text("What the wallet gave: 65 bytes in hexadecimal.", pattern="^0x[0-9a-fA-F]{130}$")
_REFRESH = schema.text("The refresh token that was given last.")


def _wallet(doc: str) -> schema.Schema:
    return schema.text(doc, **_ADDRESS)


TOKENS = schema.record(
    {
        "access_token": schema.text("To be sent as `Authorization: Bearer …`."),
        "token_type": schema.text("Always Bearer."),
        "expires_at": schema.instant("When the access token ends."),
        "refresh_token": schema.text("Gives new tokens, once. Used twice, it ends the login."),
        "refresh_expires_at": schema.instant("When the refresh token ends."),
        "wallet": schema.text("The wallet that signed in."),
        "scopes": schema.listing(_SCOPE, "What the tokens are good for."),
        "orchestrators": schema.listing(schema.text("A wallet."), "The orchestrators whose private data they open."),
    },
    "Tokens. They are shown here once.",
)
DELEGATION = schema.record(
    {
        "id": schema.text("By which it is revoked."),
        "orchestrator": schema.text("The wallet that is acted for, and that signed."),
        "delegate": schema.text("The wallet that may act."),
        "scopes": schema.listing(_SCOPE, "What it may read."),
        "issued_at": schema.instant("When it was signed."),
        "expires_at": schema.instant("When it ends by itself."),
        "revoked_at": schema.instant("When it was revoked; null while it is in force.", nullable=True),
    },
    "One wallet's word that another may act for it.",
)


async def _nonce(visit: Visit) -> Mapping[str, object]:
    given = visit.body.get("address")
    challenge = visit.access.logins.challenge(None if given is None else read_address(given, "address"))
    return {**asdict(challenge), "expires_at": instant(challenge.expires_at), "version": "1"}


async def _login(visit: Visit) -> Mapping[str, object]:
    body = visit.body
    of = body.get("orchestrator")
    orchestrator = None if of is None else read_address(of, "orchestrator")
    logins = visit.access.logins
    return _tokens(
        await logins.login(body["message"], body["signature"], body.get("scopes"), orchestrator, visit.client)
    )


async def _refresh(visit: Visit) -> Mapping[str, object]:
    return _tokens(await visit.access.logins.refresh(visit.body["refresh_token"], visit.client))


async def _logout(visit: Visit) -> Mapping[str, object]:
    await visit.access.logout(visit.caller, visit.body.get("refresh_token"), visit.client)
    return {"signed_in": False}


async def _listed(visit: Visit) -> Mapping[str, object]:
    return {"data": [_delegation(one) for one in await visit.access.grants.listed(visit.caller)]}


async def _draft(visit: Visit) -> Mapping[str, object]:
    asked, access = visit.asked, visit.access
    given = access.grants.draft(asked[ORCHESTRATOR], asked[DELEGATE], asked[SCOPE].split(), asked[EXPIRES_AT])
    return {"issued_at": instant(given.issued_at), "typed_data": given.typed_data(access.site)}


async def _give(visit: Visit) -> Mapping[str, object]:
    body = visit.body
    orchestrator, delegate = (read_address(body[name], name) for name in ("orchestrator", "delegate"))
    issued_at, expires_at = (moment(body[name], name) for name in ("issued_at", "expires_at"))
    kept = await visit.access.grants.give(
        visit.caller, orchestrator, delegate, body["scopes"], issued_at, expires_at, body["signature"], visit.client
    )
    return _delegation(kept)


async def _revoke(visit: Visit) -> Mapping[str, object]:
    return _delegation(await visit.access.grants.revoke(visit.caller, visit.asked[ID], visit.client))


async def _jwks(visit: Visit) -> Mapping[str, object]:
    return visit.access.keys.jwks(visit.access.clock())


def _tokens(issued: Issued) -> dict[str, object]:
    return {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_at": instant(issued.expires_at),
        "refresh_token": issued.refresh_token,
        "refresh_expires_at": instant(issued.refresh_expires_at),
        "wallet": issued.wallet,
        "scopes": sorted(issued.scopes),
        "orchestrators": sorted(issued.orchestrators),
    }


def _delegation(kept: Kept) -> dict[str, object]:
    given = kept.delegation
    return {
        "id": kept.id,
        "orchestrator": given.orchestrator,
        "delegate": given.delegate,
        "scopes": sorted(given.scopes),
        "issued_at": instant(given.issued_at),
        "expires_at": instant(given.expires_at),
        "revoked_at": None if kept.revoked_at is None else instant(kept.revoked_at),
    }


ORCHESTRATOR = wallet("orchestrator", "The wallet that will sign.", required=True)
DELEGATE = wallet("delegate", "The wallet that may act for it.", required=True)
SCOPE: Parameter[str] = Parameter(
    "scope", plain, {"type": "string", "pattern": rf"^({_ANY})( ({_ANY}))*$"},
    f"What it may read, with spaces between: {', '.join(f'`{one}`' for one in sorted(OWN_SCOPES))}.", required=True,
)  # fmt: skip
EXPIRES_AT = Parameter(
    "expires_at", moment, {"type": "string", "format": "date-time"}, "When it ends; at most 366 days from now.",
    required=True,
)  # fmt: skip
ID = Parameter("id", plain, {"type": "string", "pattern": "^[0-9a-f]{64}$"}, "Which one.", required=True)

NONCE = Exchanged(
    path="/auth/nonce",
    name="nonce",
    method="POST",
    summary="Begin to sign in",
    doc=(
        "A nonce that is good once and for ten minutes, and, where the wallet is named, the whole message (EIP-4361) "
        "for it to sign. See docs/auth.md."
    ),
    answers="What to sign.",
    body=schema.record({"address": _wallet("The wallet that will sign.")}, "Who.", optional=("address",)),
    result=schema.record(
        {
            "nonce": schema.text("To stand in the message."),
            "expires_at": schema.instant("Until when it is good."),
            "domain": schema.text("The domain that the message must be for."),
            "uri": schema.text("The URI that it must be for."),
            "chain_id": schema.whole("The chain that it must be for.", minimum=1),
            "message": schema.text("The message, to be signed as it is; null without an address.", nullable=True),
            "version": schema.text("Always 1."),
        },
        "What to sign.",
    ),
    serve=_nonce,
    refusals=(),
)
LOGIN = Exchanged(
    path="/auth/login",
    name="login",
    method="POST",
    summary="Sign in",
    doc=(
        "Tokens for a message and its signature by the wallet (`personal_sign`). With `orchestrator` they act for that "
        "one alone, which has delegated to the wallet; without, for the wallet itself and for every orchestrator that "
        "has delegated all of the scopes to it."
    ),
    answers="The tokens.",
    body=schema.record(
        {
            "message": schema.text("What was signed, to the letter."),
            "signature": _SIGNATURE,
            "scopes": _SCOPES,
            "orchestrator": _wallet("Act for this one alone."),
        },
        "What was signed.",
        optional=("scopes", "orchestrator"),
    ),
    result=TOKENS,
    serve=_login,
)
REFRESH = Exchanged(
    path="/auth/refresh",
    name="refresh",
    method="POST",
    summary="Stay signed in",
    doc="New tokens for a refresh token, which is used up. One that comes a second time ends its whole login.",
    answers="The tokens.",
    body=schema.record({"refresh_token": _REFRESH}, "The token."),
    result=TOKENS,
    serve=_refresh,
    refusals=(401,),
)
LOGOUT = Exchanged(
    path="/auth/logout",
    name="logout",
    method="POST",
    summary="Sign out",
    doc="Ends the login of a refresh token, else that of the access token that is sent.",
    answers="It is ended.",
    body=schema.record({"refresh_token": _REFRESH}, "Which login.", optional=("refresh_token",)),
    result=schema.record({"signed_in": schema.boolean("Always false.")}, "It is ended."),
    serve=_logout,
    refusals=(401,),
)
DELEGATIONS = Exchanged(
    path="/auth/delegations",
    name="delegations",
    summary="List delegations",
    doc="The delegations in force that the caller's wallet gave or was given; those that end last first, at most 100.",
    answers="The delegations.",
    result=schema.record({"data": schema.listing(DELEGATION, "The delegations.")}, "The delegations."),
    serve=_listed,
    signed_in=True,
)
DRAFT = Exchanged(
    path="/auth/delegations/draft",
    name="delegation_draft",
    summary="Write a delegation to sign",
    doc="The typed data (EIP-712) that an orchestrator's wallet signs once, with `eth_signTypedData_v4`.",
    answers="What to sign.",
    own=(ORCHESTRATOR, DELEGATE, SCOPE, EXPIRES_AT),
    result=schema.record(
        {
            "issued_at": schema.instant("To be sent along with the signature."),
            "typed_data": {"type": "object", "description": "What to sign, for `eth_signTypedData_v4`."},
        },
        "What to sign.",
    ),
    serve=_draft,
    refusals=(),
)
DELEGATE_TO = Exchanged(
    path="/auth/delegations",
    name="delegate",
    method="POST",
    summary="Hand in a delegation",
    doc="Takes a delegation that an orchestrator's wallet signed. Sent by the orchestrator or by the delegate.",
    answers="The delegation.",
    body=schema.record(
        {
            "orchestrator": _wallet("Who signed."),
            "delegate": _wallet("Who may act."),
            "scopes": schema.listing(_SCOPE, "With which scopes."),
            "issued_at": schema.instant("As it was signed."),
            "expires_at": schema.instant("As it was signed."),
            "signature": _SIGNATURE,
        },
        "What was signed.",
    ),
    result=DELEGATION,
    serve=_give,
    signed_in=True,
)
REVOKE = Exchanged(
    path="/auth/delegations",
    name="revoke_delegation",
    method="DELETE",
    summary="Revoke a delegation",
    doc="Ends a delegation that the caller's wallet gave or was given. Tokens that rest on it end within five seconds.",
    answers="The delegation, revoked.",
    own=(ID,),
    result=DELEGATION,
    serve=_revoke,
    signed_in=True,
    refusals=(401, 403, 404),
)
JWKS = Exchanged(
    path="/.well-known/jwks.json",
    name="jwks",
    summary="The keys that our tokens are signed with",
    doc="A JSON Web Key Set (RFC 7517), for those who check our tokens themselves.",
    answers="The keys.",
    result=schema.record({"keys": schema.listing({"type": "object"}, "Public keys.")}, "The keys."),
    serve=_jwks,
    cache="public, max-age=300",
    refusals=(),
)
LOGIN_OPERATIONS = (NONCE, LOGIN, REFRESH, LOGOUT, DELEGATIONS, DRAFT, DELEGATE_TO, REVOKE, JWKS)
# Where one comes for a new token.
WITHOUT_TOKEN = frozenset({NONCE.path, LOGIN.path, REFRESH.path})
