"""Signing in: nonces are good once, signatures are of this message, refresh tokens are used once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from auth import nonce, siwe
from auth.access import Access
from auth.caller import OWN_SCOPES, Role, Scope
from auth.logins import Issued
from auth.refusal import Refused
from auth.site import Site
from auth.store.sessions import living
from metrics.errors import BadRequest
from tests.auth.conftest import ALICE, BOB, EVE, NOW, SITE
from tests.auth.wallet import Clock, Wallet, bearer


async def refused(reason: str, awaited: object) -> None:
    with pytest.raises(Refused) as caught:
        await awaited  # type: ignore[misc]
    assert caught.value.reason == reason


async def test_a_wallet_signs_in_and_is_known_by_its_token(access: Access) -> None:
    issued = await ALICE.login(access)

    caller = await access.caller(bearer(issued.access_token))
    assert (caller.subject, caller.wallet, caller.operator) == (ALICE.address, ALICE.address, False)
    assert caller.orchestrators == caller.gateways == {ALICE.address}
    assert caller.scopes == OWN_SCOPES == issued.scopes
    assert caller.roles == {Role.ORCHESTRATOR, Role.GATEWAY}


async def test_fewer_scopes_may_be_asked_for_and_no_others(access: Access) -> None:
    issued = await ALICE.login(access, ["earnings:read"])

    assert (await access.caller(bearer(issued.access_token))).scopes == {Scope.EARNINGS}
    for strange in ("events:write", "everything"):
        with pytest.raises(BadRequest, match=strange):
            await ALICE.login(access, [strange])


async def test_a_configured_wallet_is_an_operator(open_door: Callable[..., Access]) -> None:
    access = open_door(operators=frozenset({ALICE.address}))
    alice = await access.caller(bearer((await ALICE.login(access)).access_token))
    bob = await access.caller(bearer((await BOB.login(access)).access_token))

    assert (alice.operator, alice.scopes) == (True, frozenset(Scope))
    assert (bob.operator, bob.scopes) == (False, OWN_SCOPES)


async def test_a_wallet_that_is_an_operator_no_more_loses_the_rights_of_its_tokens(
    open_door: Callable[..., Access],
) -> None:
    token = (await ALICE.login(open_door(operators=frozenset({ALICE.address})))).access_token
    caller = await open_door().caller(bearer(token))

    assert (caller.operator, caller.scopes) == (False, OWN_SCOPES)


# Attacks on nonces.


async def signed(access: Access, wallet: Wallet = ALICE, **change: object) -> Issued:
    """Sign in with a message that differs from the right one."""
    given = {
        "domain": SITE.domain, "address": wallet.address, "uri": SITE.uri, "chain_id": SITE.chain_id,
        "nonce": access.logins.challenge().nonce, "issued_at": access.clock(),
    }  # fmt: skip
    message = siwe.Message(**{**given, **change}).text()
    return await access.logins.login(message, wallet.sign(message))


async def test_a_message_made_by_the_client_is_as_good(access: Access) -> None:
    assert (await signed(access)).wallet == ALICE.address


async def test_a_replayed_nonce_is_refused_by_every_process(access: Access, open_door: Callable[..., Access]) -> None:
    message = access.logins.challenge(ALICE.address).message
    assert message is not None
    await open_door().logins.login(message, ALICE.sign(message))

    await refused("nonce_replayed", access.logins.login(message, ALICE.sign(message)))
    await refused("nonce_replayed", open_door().logins.login(message, ALICE.sign(message)))


async def test_of_those_who_come_with_one_nonce_at_once_one_gets_in(
    access: Access, open_door: Callable[..., Access]
) -> None:
    message = access.logins.challenge(ALICE.address).message
    assert message is not None
    doors = (access, open_door())
    came = await asyncio.gather(
        *(doors[i % 2].logins.login(message, ALICE.sign(message)) for i in range(8)), return_exceptions=True
    )

    assert sum(isinstance(one, Issued) for one in came) == 1
    assert {one.reason for one in came if isinstance(one, Refused)} == {"nonce_replayed"}


async def test_a_failed_login_uses_no_nonce_of_others_up(access: Access) -> None:
    message = access.logins.challenge(ALICE.address).message
    assert message is not None

    await refused("signature", access.logins.login(message, EVE.sign(message)))
    assert (await access.logins.login(message, ALICE.sign(message))).wallet == ALICE.address


async def test_a_nonce_of_ones_own_is_refused(access: Access) -> None:
    await refused("nonce", signed(access, nonce="a1b2c3d4e5f6a7b8"))
    real = access.logins.challenge().nonce
    later = f"{int((NOW + timedelta(days=1)).timestamp()):08x}"
    await refused("nonce", signed(access, nonce=later + real[8:]))


async def test_an_expired_nonce_is_refused(access: Access, clock: Clock) -> None:
    old = access.logins.challenge().nonce
    clock.on(nonce.LIFETIME)

    await refused("nonce_expired", signed(access, nonce=old))


async def test_the_nonce_of_another_gateway_is_refused(access: Access) -> None:
    await refused("nonce", signed(access, nonce=nonce.made(b"another secret", NOW)))


# Attacks on signatures.


async def test_the_signature_of_another_message_is_refused(access: Access) -> None:
    first, second = (access.logins.challenge(ALICE.address).message or "" for _ in range(2))

    await refused("signature", access.logins.login(first, ALICE.sign(second)))


async def test_the_signature_of_another_wallet_is_refused(access: Access) -> None:
    message = access.logins.challenge(ALICE.address).message or ""

    await refused("signature", access.logins.login(message, EVE.sign(message)))


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("domain", {"domain": "evil.example"}),
        ("uri", {"uri": "https://evil.example"}),
        ("chain", {"chain_id": 1}),
        ("expired", {"expires_at": NOW}),
        ("not_yet", {"not_before": NOW + timedelta(hours=1)}),
        ("old", {"issued_at": NOW - timedelta(hours=1)}),
    ],
)
async def test_a_signed_message_for_elsewhere_or_another_time_is_refused(
    access: Access, reason: str, change: dict[str, object]
) -> None:
    await refused(reason, signed(access, **change))


# Refresh tokens.


async def test_a_refresh_token_gives_new_tokens(access: Access, clock: Clock) -> None:
    issued = await ALICE.login(access, ["earnings:read"])
    clock.on(timedelta(minutes=14))
    renewed = await access.logins.refresh(issued.refresh_token)
    clock.on(timedelta(minutes=14))

    caller = await access.caller(bearer(renewed.access_token))
    assert (caller.wallet, caller.scopes) == (ALICE.address, {Scope.EARNINGS})
    assert renewed.refresh_token != issued.refresh_token


async def test_a_refresh_token_used_twice_ends_the_whole_login(
    access: Access, open_door: Callable[..., Access]
) -> None:
    first = await ALICE.login(access)
    elsewhere = await ALICE.login(access)
    second = await access.logins.refresh(first.refresh_token)

    await refused("reused", open_door().logins.refresh(first.refresh_token))
    await refused("unknown_or_over", access.logins.refresh(second.refresh_token))
    for token in (first.access_token, second.access_token):
        await refused("session_over", access.caller(bearer(token)))
    assert (await access.caller(bearer(elsewhere.access_token))).wallet == ALICE.address


async def test_who_was_known_is_forgotten_where_a_refresh_token_is_used_twice(access: Access) -> None:
    first = await ALICE.login(access)
    second = await access.logins.refresh(first.refresh_token)
    for token in (first.access_token, second.access_token):
        await access.caller(bearer(token))

    await refused("reused", access.logins.refresh(first.refresh_token))

    for token in (first.access_token, second.access_token):
        await refused("session_over", access.caller(bearer(token)))


async def test_of_two_who_come_with_one_refresh_token_at_once_one_is_served_and_the_login_ends(
    access: Access, open_door: Callable[..., Access]
) -> None:
    token = (await ALICE.login(access)).refresh_token
    came = await asyncio.gather(access.logins.refresh(token), open_door().logins.refresh(token), return_exceptions=True)

    assert sorted(type(one).__name__ for one in came) == ["Issued", "Refused"]
    won = next(one for one in came if isinstance(one, Issued))
    await refused("session_over", access.caller(bearer(won.access_token)))


@pytest.mark.parametrize("token", ["", "naapr_", "naapr_" + "x" * 43, "x" * 10_000])
async def test_an_unknown_refresh_token_is_refused(access: Access, token: str) -> None:
    await refused("unknown_or_over", access.logins.refresh(token))


async def test_a_refresh_token_ends_after_a_week(access: Access, clock: Clock) -> None:
    issued = await ALICE.login(access)
    clock.on(timedelta(days=7))

    await refused("unknown_or_over", access.logins.refresh(issued.refresh_token))


async def test_a_login_ends_after_thirty_days_however_often_it_is_renewed(access: Access, clock: Clock) -> None:
    issued = await ALICE.login(access)
    for _ in range(4):
        clock.on(timedelta(days=6))
        issued = await access.logins.refresh(issued.refresh_token)
    session = (await access.caller(bearer(issued.access_token))).session or ""
    assert issued.refresh_expires_at == NOW + timedelta(days=30)
    clock.on(timedelta(days=6))

    await refused("unknown_or_over", access.logins.refresh(issued.refresh_token))
    assert await access._store.run(lambda connection: living(connection, session, clock())) is None


async def test_an_access_token_is_no_refresh_token_and_the_other_way_round(access: Access) -> None:
    issued = await ALICE.login(access)

    await refused("unknown_or_over", access.logins.refresh(issued.access_token))
    await refused("no_token", access.caller(bearer(issued.refresh_token)))


async def test_signing_out_ends_the_login_at_once(access: Access) -> None:
    issued, other = await ALICE.login(access), await ALICE.login(access)
    caller = await access.caller(bearer(issued.access_token))
    await access.logout(caller)

    await refused("session_over", access.caller(bearer(issued.access_token)))
    await refused("unknown_or_over", access.logins.refresh(issued.refresh_token))
    await access.logout(await access.caller(None), other.refresh_token)
    await refused("session_over", access.caller(bearer(other.access_token)))


async def test_signing_out_of_nothing_says_what_to_send(access: Access) -> None:
    with pytest.raises(BadRequest, match="refresh token"):
        await access.logout(await access.caller(None))


async def test_what_is_revoked_in_one_process_ends_in_another_within_five_seconds(
    access: Access, open_door: Callable[..., Access], clock: Clock
) -> None:
    other = open_door()
    issued = await ALICE.login(access)
    await other.caller(bearer(issued.access_token))
    await access.logout(await access.caller(bearer(issued.access_token)))
    clock.on(timedelta(seconds=5))

    await refused("session_over", other.caller(bearer(issued.access_token)))


async def test_another_site_makes_other_messages(open_door: Callable[..., Access]) -> None:
    message = open_door(Site("http://127.0.0.1:8000", 1)).logins.challenge(ALICE.address).message or ""

    assert message.startswith("127.0.0.1:8000 wants")
    assert "URI: http://127.0.0.1:8000\n" in message
    assert "Chain ID: 1\n" in message
