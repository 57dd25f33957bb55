"""Tokens: everything that is wrong with one is found, and none is ever taken for nobody's."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from auth import signing
from auth.access import Access
from auth.access_token import LEEWAY, REQUIRED, TYPE
from auth.caller import ANONYMOUS, Role, Scope
from auth.refusal import Refused
from auth.signing import KeyRing, SigningKey
from auth.site import Site
from metrics.errors import BadRequest, NotFound
from tests.auth.conftest import ALICE, BOB, EVE, NOW, OPERATOR_TOKEN, SITE
from tests.auth.wallet import Clock, bearer

DAY = timedelta(days=1)


async def why(access: Access, token: str) -> str:
    """Why a token is refused."""
    with pytest.raises(Refused) as caught:
        await access.caller(bearer(token))
    return caught.value.reason


def read(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(access: Access, claims: dict[str, Any], key: SigningKey | None = None, **header: object) -> str:
    """A token with these claims, signed as our own are."""
    key = key or access.keys.current
    return jwt.encode(claims, key.private, key.algorithm, {"kid": key.kid, "typ": TYPE, **header})


def written(header: dict[str, object], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.fixture
async def claims(access: Access) -> dict[str, Any]:
    """What a right token says."""
    return read((await ALICE.login(access)).access_token)


async def test_a_right_token_says_all_that_is_checked(access: Access, claims: dict[str, Any]) -> None:
    assert set(REQUIRED) == {"iss", "aud", "sub", "exp", "nbf", "iat", "jti", "scope"} <= claims.keys()
    assert (claims["iss"], claims["aud"], claims["sub"]) == (SITE.uri, SITE.uri, ALICE.address)
    assert (await access.caller(bearer(signed(access, claims)))).wallet == ALICE.address


# Attacks.


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE"])
async def test_a_token_of_algorithm_none_is_refused(access: Access, claims: dict[str, Any], algorithm: str) -> None:
    header = {"alg": algorithm, "typ": TYPE, "kid": access.keys.current.kid}

    assert await why(access, written(header, claims)) in ("signature", "no_token")
    assert await why(access, written({"alg": algorithm, "typ": TYPE}, claims)) in ("key", "no_token")


async def test_a_token_signed_with_another_key_is_refused(access: Access, claims: dict[str, Any]) -> None:
    other = SigningKey.of(Ed25519PrivateKey.generate())

    assert await why(access, signed(access, claims, other)) == "key"
    assert await why(access, signed(access, claims, other, kid=access.keys.current.kid)) == "signature"
    jwk = {**other.jwk}
    assert await why(access, signed(access, claims, other, jwk=jwk, jku="https://evil.example/jwks")) == "key"


async def test_a_public_key_is_no_secret_to_sign_with(access: Access, claims: dict[str, Any]) -> None:
    public = access.keys.current.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    token = jwt.encode(claims, public, "HS256", {"kid": access.keys.current.kid, "typ": TYPE})

    assert await why(access, token) == "signature"


async def test_the_algorithm_is_the_keys_and_not_the_tokens(access: Access, claims: dict[str, Any]) -> None:
    other = SigningKey.of(generate_private_key(SECP256R1()))

    assert await why(access, signed(access, claims, other, kid=access.keys.current.kid)) == "signature"


async def test_a_changed_token_is_refused(access: Access) -> None:
    head, _, tail = (await ALICE.login(access)).access_token.split(".")
    body = base64.urlsafe_b64encode(json.dumps(read((await EVE.login(access)).access_token)).encode()).decode()

    assert await why(access, f"{head}.{body.rstrip('=')}.{tail}") == "signature"


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("expired", {"exp": NOW.timestamp() - LEEWAY.total_seconds()}),
        ("expired", {"exp": 0}),
        ("not_yet_valid", {"nbf": NOW.timestamp() + 6}),
        ("not_yet_valid", {"iat": NOW.timestamp() + 6}),
        ("audience", {"aud": "https://other.example"}),
        ("audience", {"aud": ["https://other.example"]}),
        ("audience", {"iss": "https://other.example"}),
        ("session_over", {"sid": "0" * 32}),
        ("session_over", {"sub": EVE.address}),
    ],
    ids=str,
)
async def test_a_token_for_another_time_place_or_person_is_refused(
    access: Access, claims: dict[str, Any], reason: str, change: dict[str, object]
) -> None:
    assert await why(access, signed(access, claims | change)) == reason


@pytest.mark.parametrize("name", REQUIRED)
async def test_a_token_that_leaves_something_out_is_refused(access: Access, claims: dict[str, Any], name: str) -> None:
    del claims[name]

    assert await why(access, signed(access, claims)) == "signature"


@pytest.mark.parametrize("value", ["soon", "NaN", "inf", None, True, [], {}, 10**400, -1, "1700000000"])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
async def test_a_time_that_is_none_is_refused(access: Access, claims: dict[str, Any], name: str, value: object) -> None:
    with pytest.raises(Refused):
        await access.caller(bearer(signed(access, claims | {name: value})))


@pytest.mark.parametrize("kind", ["JWT", "dpop+jwt", None])
async def test_a_token_of_another_type_is_refused(access: Access, claims: dict[str, Any], kind: str | None) -> None:
    assert await why(access, signed(access, claims, typ=kind)) == "type"


async def test_a_login_without_its_session_is_no_machine(access: Access, claims: dict[str, Any]) -> None:
    del claims["sid"]

    assert await why(access, signed(access, claims)) == "unknown"


async def test_a_token_that_was_known_still_expires(access: Access, clock: Clock) -> None:
    token = (await ALICE.login(access)).access_token
    clock.on(timedelta(minutes=14, seconds=58))
    await access.caller(bearer(token))
    clock.on(timedelta(seconds=3))
    assert access.known(bearer(token)) is None
    clock.on(timedelta(seconds=4))

    assert await why(access, token) == "expired"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "token", "Bearer a b", "Bearer x", "Bearer a.b.c", "Bearer ...",
     "Bearer naap_", "Bearer naap_0000000000000000_" + "A" * 43, "Bearer " + "x" * 20_000, "Bearer é"],
)  # fmt: skip
async def test_what_is_no_token_is_refused_and_never_nobody(access: Access, header: str) -> None:
    with pytest.raises(Refused):
        await access.caller(header)


@pytest.mark.parametrize("kid", [None, 1, ["x"], "", "x" * 1000])
async def test_a_strange_key_id_is_refused(access: Access, claims: dict[str, Any], kid: object) -> None:
    header = {"alg": "EdDSA", "typ": TYPE, "kid": kid}

    assert await why(access, written(header, claims, b"0" * 64)) in ("key", "no_token")


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"x"', b"{", b"\xff"])
async def test_a_token_that_says_nothing_is_refused(access: Access, body: bytes) -> None:
    key = access.keys.current
    token = jwt.api_jws.encode(body, key.private, key.algorithm, {"kid": key.kid, "typ": TYPE})

    with pytest.raises(Refused):
        await access.caller(bearer(token))


async def test_no_header_is_nobody(access: Access) -> None:
    assert await access.caller(None) is ANONYMOUS


async def test_the_operators_token_is_an_operators(access: Access) -> None:
    caller = await access.caller(bearer(OPERATOR_TOKEN))

    assert (caller.subject, caller.operator, caller.scopes) == ("operator", True, frozenset(Scope))
    assert await why(access, OPERATOR_TOKEN + "x") == "no_token"


# Keys.


async def test_keys_rotate_and_what_older_ones_signed_stays_good(
    access: Access, open_door: Callable[..., Access], clock: Clock, tmp_path: Path
) -> None:
    old, other = (await ALICE.login(access)).access_token, open_door()
    key = signing.rotate(tmp_path / "keys")
    new = (await ALICE.login(open_door())).access_token

    assert jwt.get_unverified_header(new)["kid"] == key.kid
    clock.on(signing.LOOK_EVERY)
    for door in (access, other):
        for token in (old, new):
            assert (await door.caller(bearer(token))).wallet == ALICE.address
    assert jwt.get_unverified_header((await ALICE.login(access)).access_token)["kid"] == key.kid
    assert [one["kid"] for one in access.keys.jwks(clock())["keys"]][-1] == key.kid


async def test_a_gateway_that_was_asked_nothing_signs_with_the_new_key_and_tells_it(
    access: Access, clock: Clock, tmp_path: Path
) -> None:
    await ALICE.login(access)
    key = signing.rotate(tmp_path / "keys")
    signing.retire(tmp_path / "keys")
    clock.on(signing.LOOK_EVERY)

    assert [one["kid"] for one in access.keys.jwks(clock())["keys"]] == [key.kid]
    assert (await access.caller(bearer((await ALICE.login(access)).access_token))).wallet == ALICE.address
    other = signing.rotate(tmp_path / "keys")
    clock.on(signing.LOOK_EVERY)
    assert jwt.get_unverified_header((await ALICE.login(access)).access_token)["kid"] == other.kid


async def test_a_retired_key_verifies_nothing(access: Access, clock: Clock, tmp_path: Path) -> None:
    old = (await ALICE.login(access)).access_token
    signing.rotate(tmp_path / "keys")
    assert len(signing.retire(tmp_path / "keys")) == 1
    clock.on(signing.LOOK_EVERY)

    assert await why(access, old) == "key"


def test_keys_are_made_once_for_their_owner_only_and_never_shown(tmp_path: Path) -> None:
    first, second = KeyRing(tmp_path / "keys"), KeyRing(tmp_path / "keys")
    (file,) = (tmp_path / "keys").iterdir()

    assert first.current.kid == second.current.kid
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [one.keys() for one in first.jwks(NOW)["keys"]] == [{"crv", "kty", "x", "kid", "alg", "use"}]


def pem(private: Any) -> bytes:
    content: bytes = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return content


async def test_a_key_of_the_operators_own_signs_by_its_own_algorithm(
    tmp_path: Path, open_door: Callable[..., Access]
) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ours.pem").write_bytes(pem(generate_private_key(SECP256R1())))
    access = open_door()
    token = (await ALICE.login(access)).access_token

    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert (await access.caller(bearer(token))).wallet == ALICE.address
    assert access.keys.jwks(NOW)["keys"][0].keys() == {"crv", "kty", "x", "y", "kid", "alg", "use"}


@pytest.mark.parametrize("content", [b"", b"nonsense", pem(rsa_key(65537, 2048))])
def test_a_file_that_holds_no_key_stops_the_start_and_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "1.pem").write_bytes(content)

    with pytest.raises(BadRequest, match=r"1\.pem"):
        KeyRing(tmp_path)


async def test_keys_that_cannot_be_read_for_a_moment_take_nothing_away(
    access: Access, clock: Clock, tmp_path: Path
) -> None:
    token = (await ALICE.login(access)).access_token
    (tmp_path / "keys" / "2.pem").write_bytes(b"half a f")
    clock.on(signing.LOOK_EVERY)

    assert (await access.caller(bearer(token))).wallet == ALICE.address


# Machines.


@pytest.mark.parametrize("kind", ["key", "jwt"])
async def test_a_machine_has_what_it_was_issued_until_it_is_revoked(access: Access, clock: Clock, kind: str) -> None:
    token, text = access.machines.issue(
        "explorer", kind, Role.ORCHESTRATOR, [ALICE.address, BOB.address], frozenset({Scope.EARNINGS}), DAY, NOW
    )
    caller = await access.caller(bearer(text))

    assert (caller.subject, caller.wallet, caller.session) == ("explorer", None, None)
    assert (caller.orchestrators, caller.gateways) == ({ALICE.address, BOB.address}, frozenset())
    assert (caller.scopes, caller.operator, caller.expires_at) == ({Scope.EARNINGS}, False, NOW + DAY)

    access.machines.revoke(token.id, NOW)
    assert access.known(bearer(text)) == caller, "for a few seconds in a process that knows it"
    clock.on(timedelta(seconds=5))
    assert await why(access, text) == "revoked"


@pytest.mark.parametrize("kind", ["key", "jwt"])
async def test_a_machines_token_expires(access: Access, clock: Clock, kind: str) -> None:
    _, text = access.machines.issue("m", kind, Role.OPERATOR, [], frozenset(), DAY, NOW)
    clock.on(DAY + LEEWAY)

    assert await why(access, text) == "expired"


@pytest.mark.parametrize(("role", "which"), [(Role.GATEWAY, "gateways"), (Role.ORCHESTRATOR, "orchestrators")])
async def test_a_role_is_that_role_only(access: Access, role: Role, which: str) -> None:
    _, text = access.machines.issue("m", "key", role, [ALICE.address], frozenset(), DAY, NOW)
    caller = await access.caller(bearer(text))

    assert caller.roles == {role}
    assert getattr(caller, which) == {ALICE.address}


async def test_a_wrong_secret_is_refused_and_the_right_one_is_kept_nowhere(access: Access, tmp_path: Path) -> None:
    token, text = access.machines.issue("m", "key", Role.OPERATOR, [], frozenset(), DAY, NOW)
    secret = text.rpartition(f"{token.id}_")[2]

    assert await why(access, text[:-1] + ("A" if text[-1] != "A" else "B")) == "key"
    assert await why(access, f"naap_{'0' * 16}_{secret}") == "key"
    access.close()
    kept = (tmp_path / "auth.db").read_bytes()
    assert token.id.encode() in kept
    assert secret.encode() not in kept


async def test_a_signed_machine_token_is_no_key_without_a_secret(access: Access) -> None:
    token, _ = access.machines.issue("m", "jwt", Role.OPERATOR, [], frozenset(), DAY, NOW)

    assert await why(access, f"naap_{token.id}_{'A' * 43}") == "key"


async def test_when_a_token_was_last_used_is_known_to_the_minute(access: Access, clock: Clock) -> None:
    _, text = access.machines.issue("m", "key", Role.OPERATOR, [], frozenset(), DAY, NOW)
    seen = [access.machines.listed()[0].last_used_at]
    for _ in range(3):
        await access.caller(bearer(text))
        seen.append(access.machines.listed()[0].last_used_at)
        clock.on(timedelta(seconds=40))

    assert seen == [None, NOW, NOW, NOW + timedelta(seconds=80)]


@pytest.mark.parametrize(
    ("option", "change"),
    [
        ("--name", {"name": ALICE.address}),
        ("--name", {"name": "operator"}),
        ("--name", {"name": ""}),
        ("--name", {"name": "UPPER\n"}),
        ("--wallet", {"role": Role.OPERATOR}),
        ("--wallet", {"wallets": []}),
        ("--wallet", {"wallets": [ALICE.address] * 91}),
        ("--scope", {"scopes": frozenset({Scope.EVENTS})}),
        ("--expires", {"lifetime": timedelta(days=732)}),
    ],
    ids=str,
)
def test_a_token_that_cannot_be_is_named_by_its_option(access: Access, option: str, change: dict[str, Any]) -> None:
    right: dict[str, Any] = {
        "name": "m", "kind": "key", "role": Role.ORCHESTRATOR, "wallets": [ALICE.address],
        "scopes": frozenset({Scope.EARNINGS}), "lifetime": DAY, "now": NOW,
    }  # fmt: skip

    with pytest.raises(BadRequest) as caught:
        access.machines.issue(**{**right, **change})
    assert caught.value.argument == option


def test_revoking_what_is_not_there_says_so(access: Access) -> None:
    with pytest.raises(NotFound, match="naap token list"):
        access.machines.revoke("nothing", NOW)


async def test_what_is_known_is_bounded(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth.access.KNOWN", 3)
    for _ in range(5):
        await access.caller(bearer((await ALICE.login(access)).access_token))

    assert len(access._known) == 3


async def test_a_token_of_one_gateway_is_worth_nothing_at_another_with_the_same_keys(
    access: Access, open_door: Callable[..., Access]
) -> None:
    token = (await ALICE.login(access)).access_token

    assert await why(open_door(Site("https://other.example", SITE.chain_id)), token) == "audience"
