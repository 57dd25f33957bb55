"""The audit log tells what happened, and nothing that could be used or that tells more of a person than it must."""

import json
from datetime import timedelta

import pytest

from auth.access import Access
from auth.audit import LOGGER, record, truncated
from auth.caller import Role, Scope
from auth.refusal import Refused
from metrics.errors import Forbidden
from tests.auth.conftest import ALICE, BOB, EVE, NOW
from tests.auth.wallet import bearer, hand_in


def events(audited: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(one.getMessage()) for one in audited.records if one.name == LOGGER]


async def test_what_happens_is_told_in_lines_of_json(access: Access, audited: pytest.LogCaptureFixture) -> None:
    issued = await ALICE.login(access)

    assert events(audited) == [
        {
            "at": "2026-01-09T14:00:00.000Z",
            "event": "login",
            "client": "203.0.113.0/24",
            "wallet": ALICE.address,
            "scopes": sorted(issued.scopes),
            "orchestrators": [ALICE.address],
        }
    ]


async def test_everything_is_told_and_nothing_secret(access: Access, audited: pytest.LogCaptureFixture) -> None:
    secrets: list[str] = []
    challenge = access.logins.challenge(ALICE.address)
    message, signature = challenge.message or "", ALICE.sign(challenge.message or "")
    secrets += [challenge.nonce, message, signature]
    for _ in range(2):
        try:
            first = await access.logins.login(message, signature, client="203.0.113.77")
            secrets += [first.access_token, first.refresh_token]
        except Refused:
            pass
    second = await access.logins.refresh(first.refresh_token, "2001:db8:1:2::3")
    with pytest.raises(Refused):
        await access.logins.refresh(first.refresh_token)
    third = await ALICE.login(access)
    drafted = access.grants.draft(ALICE.address, BOB.address, ["earnings:read"], NOW + timedelta(days=1))
    right = ALICE.sign_digest(drafted.digest(access.site))
    forged = EVE.sign_digest(drafted.digest(access.site))
    with pytest.raises(Refused):
        await hand_in(access, BOB, drafted, forged)
    kept = await hand_in(access, BOB, drafted, right)
    with pytest.raises(Forbidden):
        await BOB.login(access, ["payments:read"], orchestrator=ALICE)
    caller = await access.caller(bearer(third.access_token))
    await access.grants.revoke(caller, kept.id, "203.0.113.77")
    await access.logout(caller)
    token, key = access.machines.issue("m", "key", Role.OPERATOR, [], frozenset({Scope.EVENTS}), timedelta(1), NOW)
    access.machines.revoke(token.id, NOW)
    secrets += [second.access_token, second.refresh_token, third.access_token, right, forged, key, key[-43:]]

    assert {one["event"] for one in events(audited)} == {
        "login", "login_refused", "refresh", "refresh_reused", "refresh_refused", "logout", "delegation",
        "delegation_refused", "delegation_revoked", "token_issued", "token_revoked",
    }  # fmt: skip
    for secret in [*secrets, "203.0.113.77", "2001:db8:1:2"]:
        assert secret not in audited.text


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("testclient", None),
        ("", None),
        (None, None),
    ],
)
def test_addresses_are_truncated(address: str | None, network: str | None) -> None:
    assert truncated(address) == network


def test_a_value_cannot_forge_a_line(audited: pytest.LogCaptureFixture) -> None:
    record("login", NOW, None, wallet='x"}\n{"event": "login"')

    (line,) = [one.getMessage() for one in audited.records]
    assert "\n" not in line
