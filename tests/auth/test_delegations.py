"""Delegations: who may act for whom, until when, and every way to come by one that was never given."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from auth.access import Access
from auth.caller import ANONYMOUS, OWN_SCOPES, Scope
from auth.grants import MOST
from auth.refusal import Refused
from auth.site import Site
from auth.store.store import swept
from metrics.errors import BadRequest, Forbidden, NotFound, Unauthenticated
from tests.auth.conftest import ALICE, BOB, EVE, NOW, SITE
from tests.auth.wallet import Clock, Wallet, bearer, hand_in

ALL = sorted(OWN_SCOPES)
WEEK = timedelta(days=7)


async def acts_for(access: Access, wallet: Wallet, scopes: list[str] | None = None) -> frozenset[str]:
    issued = await wallet.login(access, scopes)
    caller = await access.caller(bearer(issued.access_token))
    assert caller.orchestrators == issued.orchestrators
    return caller.orchestrators


async def test_a_delegate_acts_for_the_orchestrator(access: Access) -> None:
    await ALICE.delegate(access, BOB, ALL)

    assert await acts_for(access, BOB) == {ALICE.address, BOB.address}
    assert await acts_for(access, ALICE) == {ALICE.address}
    assert await acts_for(access, EVE) == {EVE.address}


async def test_a_login_from_before_acts_for_it_too(access: Access) -> None:
    token = bearer((await BOB.login(access)).access_token)
    assert (await access.caller(token)).orchestrators == {BOB.address}

    await ALICE.delegate(access, BOB, ALL)
    assert (await access.caller(token)).orchestrators == {ALICE.address, BOB.address}


async def test_a_delegate_has_no_more_scopes_than_it_was_given(access: Access) -> None:
    await ALICE.delegate(access, BOB, ["earnings:read"])

    assert await acts_for(access, BOB) == {BOB.address}
    assert await acts_for(access, BOB, ["earnings:read"]) == {ALICE.address, BOB.address}
    assert await acts_for(access, BOB, ["payments:read"]) == {BOB.address}


async def test_one_may_act_for_a_named_orchestrator_alone_with_its_scopes(access: Access) -> None:
    await ALICE.delegate(access, BOB, ["earnings:read"])
    caller = await access.caller(bearer((await BOB.login(access, orchestrator=ALICE)).access_token))

    assert (caller.wallet, caller.orchestrators, caller.gateways) == (BOB.address, {ALICE.address}, frozenset())
    assert caller.scopes == {Scope.EARNINGS}
    with pytest.raises(Forbidden, match=f"{ALICE.address} has not delegated payments:read"):
        await BOB.login(access, ["payments:read"], orchestrator=ALICE)


async def test_an_operator_that_acts_for_somebody_is_no_operator(open_door: Callable[..., Access]) -> None:
    access = open_door(operators=frozenset({BOB.address}))
    await ALICE.delegate(access, BOB, ALL)
    for orchestrator in (ALICE, BOB):
        caller = await access.caller(bearer((await BOB.login(access, orchestrator=orchestrator)).access_token))
        assert (caller.operator, caller.scopes) == (False, OWN_SCOPES)
        assert caller.orchestrators == {orchestrator.address}


async def test_acting_for_oneself_alone_leaves_others_out(access: Access) -> None:
    await ALICE.delegate(access, BOB, ALL)
    caller = await access.caller(bearer((await BOB.login(access, orchestrator=BOB)).access_token))

    assert caller.orchestrators == {BOB.address}


# Attacks.


async def test_nobody_acts_for_an_orchestrator_that_delegated_to_another_or_nobody(access: Access) -> None:
    await ALICE.delegate(access, BOB, ALL)

    for wallet, orchestrator in ((EVE, ALICE), (BOB, EVE)):
        with pytest.raises(Forbidden):
            await wallet.login(access, orchestrator=orchestrator)


async def test_an_expired_delegation_is_none(access: Access, clock: Clock) -> None:
    await ALICE.delegate(access, BOB, ALL, timedelta(minutes=10))
    token = bearer((await BOB.login(access, orchestrator=ALICE)).access_token)
    clock.on(timedelta(minutes=10))

    with pytest.raises(Refused, match="delegation"):
        await access.caller(token)
    assert await acts_for(access, BOB) == {BOB.address}
    with pytest.raises(Forbidden):
        await BOB.login(access, orchestrator=ALICE)


@pytest.mark.parametrize("by", [ALICE, BOB])
async def test_a_revoked_delegation_ends_tokens_at_once_and_cannot_come_back(access: Access, by: Wallet) -> None:
    drafted = access.grants.draft(ALICE.address, BOB.address, ALL, NOW + WEEK)
    signature = ALICE.sign_digest(drafted.digest(SITE))
    kept = await hand_in(access, BOB, drafted, signature)
    login = await BOB.login(access, orchestrator=ALICE)
    wide = bearer((await BOB.login(access)).access_token)
    assert ALICE.address in (await access.caller(wide)).orchestrators
    await access.caller(bearer(login.access_token))

    revoked = await access.grants.revoke(await access.caller(bearer((await by.login(access)).access_token)), kept.id)
    assert revoked.revoked_at == NOW
    with pytest.raises(Refused, match="delegation"):
        await access.caller(bearer(login.access_token))
    with pytest.raises(Refused, match="delegation"):
        await access.logins.refresh(login.refresh_token)
    assert (await access.caller(wide)).orchestrators == {BOB.address}
    with pytest.raises(Forbidden, match="revoked"):
        await hand_in(access, BOB, drafted, signature)


async def test_a_revoked_delegation_is_still_known_when_the_store_was_swept(access: Access, clock: Clock) -> None:
    drafted = access.grants.draft(ALICE.address, BOB.address, ALL, NOW + timedelta(days=300))
    signature = ALICE.sign_digest(drafted.digest(SITE))
    kept = await hand_in(access, BOB, drafted, signature)
    await access.grants.revoke(await access.caller(bearer((await BOB.login(access)).access_token)), kept.id)
    clock.on(timedelta(days=200))
    await access._store.run(lambda connection: swept(connection, clock()))

    with pytest.raises(Forbidden, match="revoked"):
        await hand_in(access, BOB, drafted, signature)


@pytest.mark.parametrize("forger", [BOB, EVE])
async def test_a_forged_delegation_is_refused(access: Access, forger: Wallet) -> None:
    drafted = access.grants.draft(ALICE.address, BOB.address, ALL, NOW + WEEK)

    with pytest.raises(Refused):
        await hand_in(access, BOB, drafted, forger.sign_digest(drafted.digest(SITE)))
    assert await acts_for(access, BOB) == {BOB.address}


@pytest.mark.parametrize(
    "change",
    [
        {"orchestrator": EVE.address},
        {"delegate": BOB.address},
        {"scopes": frozenset({Scope.PAYMENTS})},
        {"scopes": OWN_SCOPES},
        {"expires_at": NOW + 2 * WEEK},
        {"issued_at": NOW - timedelta(days=1)},
    ],
)
async def test_a_delegation_that_was_changed_after_signing_is_refused(
    access: Access, change: dict[str, object]
) -> None:
    signed = access.grants.draft(ALICE.address, EVE.address, ["earnings:read"], NOW + WEEK)
    given = replace(signed, **change)

    by = BOB if given.delegate == BOB.address else EVE
    with pytest.raises((Refused, BadRequest)):
        await hand_in(access, by, given, ALICE.sign_digest(signed.digest(SITE)))


@pytest.mark.parametrize("site", [Site("https://other.example", SITE.chain_id), Site(SITE.uri, 1)])
async def test_a_delegation_for_another_gateway_or_chain_is_refused(access: Access, site: Site) -> None:
    drafted = access.grants.draft(ALICE.address, BOB.address, ALL, NOW + WEEK)

    with pytest.raises(Refused):
        await hand_in(access, BOB, drafted, ALICE.sign_digest(drafted.digest(site)))


def test_the_domain_alone_binds_a_delegation_to_its_gateway(access: Access) -> None:
    data = access.grants.draft(ALICE.address, BOB.address, ALL, NOW + WEEK).typed_data(SITE)
    other = access.grants.draft(ALICE.address, BOB.address, ALL, NOW + WEEK).typed_data(Site("https://x.example", 1))

    assert data["domain"].keys() == other["domain"].keys() == {"name", "version", "chainId", "salt"}
    assert data["domain"]["salt"] != other["domain"]["salt"]


async def test_a_login_signature_is_no_delegation(access: Access) -> None:
    drafted = access.grants.draft(ALICE.address, BOB.address, ALL, NOW + WEEK)

    with pytest.raises(Refused):
        await hand_in(access, BOB, drafted, ALICE.sign(str(drafted.typed_data(SITE))))


async def test_a_third_party_may_not_hand_one_in(access: Access) -> None:
    drafted = access.grants.draft(ALICE.address, BOB.address, ALL, NOW + WEEK)

    with pytest.raises(Forbidden):
        await hand_in(access, EVE, drafted, ALICE.sign_digest(drafted.digest(SITE)))


async def test_others_can_neither_see_nor_revoke_one(access: Access) -> None:
    kept = await ALICE.delegate(access, BOB, ALL)
    eve = await access.caller(bearer((await EVE.login(access)).access_token))

    assert await access.grants.listed(eve) == []
    with pytest.raises(NotFound):
        await access.grants.revoke(eve, kept.id)
    assert await acts_for(access, BOB) == {ALICE.address, BOB.address}


async def test_both_sides_see_those_in_force(access: Access) -> None:
    first = await ALICE.delegate(access, BOB, ALL)
    second = await ALICE.delegate(access, EVE, ALL, 2 * WEEK)

    for wallet, seen in ((ALICE, [second, first]), (BOB, [first]), (EVE, [second])):
        caller = await access.caller(bearer((await wallet.login(access)).access_token))
        assert [one.id for one in await access.grants.listed(caller)] == [one.id for one in seen]


async def test_the_same_delegation_twice_is_one(access: Access) -> None:
    drafted = access.grants.draft(ALICE.address, BOB.address, ALL, NOW + WEEK)
    signature = ALICE.sign_digest(drafted.digest(SITE))

    assert await hand_in(access, BOB, drafted, signature) == await hand_in(access, ALICE, drafted, signature)


async def test_an_orchestrator_gives_so_many_and_no_more(access: Access) -> None:
    for number in range(MOST):
        await ALICE.delegate(access, Wallet(100 + number), ALL)

    with pytest.raises(Forbidden, match="Revoke one"):
        await ALICE.delegate(access, BOB, ALL)


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("delegate", {"delegate": ALICE.address}),
        ("scopes", {"scopes": frozenset()}),
        ("scopes", {"scopes": frozenset({Scope.EVENTS})}),
        ("issued_at", {"issued_at": NOW + timedelta(hours=1)}),
        ("expires_at", {"expires_at": NOW}),
        ("expires_at", {"expires_at": NOW + timedelta(days=367)}),
    ],
)
async def test_one_that_cannot_be_is_a_bad_request(access: Access, argument: str, change: dict[str, object]) -> None:
    given = replace(access.grants.draft(ALICE.address, BOB.address, ALL, NOW + WEEK), **change)

    with pytest.raises(BadRequest) as caught:
        await hand_in(access, ALICE, given, ALICE.sign_digest(given.digest(SITE)))
    assert caught.value.argument == argument


async def test_who_has_no_wallet_has_no_delegations(access: Access) -> None:
    with pytest.raises(Unauthenticated, match="sign in"):
        await access.grants.listed(ANONYMOUS)
    with pytest.raises(Forbidden, match="wallet"):
        await access.grants.listed(await access.caller(bearer("the-operators-own-token")))
