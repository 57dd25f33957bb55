"""Outside issuers: their tokens are checked against the keys that they publish, and give little."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm

from auth import jwks
from auth.access import Access
from auth.caller import OWN_SCOPES, Role, Scope
from auth.issuers import Issuer, Issuers, load_issuers
from auth.jwks import KeySet, fetched, keys_in
from auth.refusal import Refused
from metrics.errors import BadRequest
from tests.auth.conftest import ALICE, NOW, SITE
from tests.auth.wallet import Clock, bearer

KEY, OTHER = generate_private_key(65_537, 2048), generate_private_key(65_537, 2048)
ISSUER = Issuer(
    "https://login.example", "https://login.example/jwks", SITE.uri, scopes=frozenset({Scope.EARNINGS}),
    wallet_claim="wallet",
)  # fmt: skip


def published(*keys: tuple[str, Any], **more: object) -> bytes:
    return json.dumps(
        {"keys": [{**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, **more} for kid, key in keys]}
    ).encode()


def token(key: Any = KEY, kid: str = "one", algorithm: str = "RS256", **change: object) -> str:
    claims: dict[str, object] = {
        "iss": ISSUER.issuer, "aud": SITE.uri, "sub": "someone", "iat": NOW.timestamp(),
        "exp": NOW.timestamp() + 600, "scope": "earnings:read payments:read events:write openid",
        "wallet": ALICE.address.upper().replace("0X", "0x"),
    }  # fmt: skip
    said = {name: value for name, value in {**claims, **change}.items() if value is not None}
    return jwt.encode(said, key, algorithm, {"kid": kid})


class Published:
    """What an issuer publishes, and how often it was asked."""

    def __init__(self) -> None:
        self.content: bytes | OSError = published(("one", KEY))
        self.asked = 0

    def __call__(self, url: str) -> bytes:
        self.asked += 1
        if isinstance(self.content, OSError):
            raise self.content
        return self.content


@pytest.fixture
def issuer() -> Published:
    return Published()


@pytest.fixture
def access(open_door: Callable[..., Access], issuer: Published) -> Access:
    return open_door(issuers=Issuers([ISSUER], issuer))


async def why(access: Access, text: str) -> str:
    with pytest.raises(Refused) as caught:
        await access.caller(bearer(text))
    return caught.value.reason


async def test_its_token_gives_what_is_configured_and_no_more(access: Access) -> None:
    caller = await access.caller(bearer(token(operator=True, role="operator")))

    assert caller.subject == "https://login.example#someone"
    assert (caller.wallet, caller.operator, caller.roles) == (None, False, {Role.ORCHESTRATOR})
    assert (caller.orchestrators, caller.gateways, caller.scopes) == ({ALICE.address}, frozenset(), {Scope.EARNINGS})


@pytest.mark.parametrize("wallet", [None, "0x1", 5, [ALICE.address], "*"])
async def test_without_a_wallet_it_reads_nobodys_data(access: Access, wallet: object) -> None:
    assert (await access.caller(bearer(token(wallet=wallet)))).orchestrators == frozenset()


@pytest.mark.parametrize("scope", [None, "", "earnings", ["earnings:read"], 1])
async def test_without_a_scope_it_reads_nothing_private(access: Access, scope: object) -> None:
    assert (await access.caller(bearer(token(scope=scope)))).scopes == frozenset()


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("signature", {"key": OTHER}),
        ("key", {"kid": "two"}),
        ("signature", {"algorithm": "RS512"}),
        ("signature", {"algorithm": "PS256"}),
        ("audience", {"aud": "https://other.example"}),
        ("signature", {"aud": None}),
        ("signature", {"sub": None}),
        ("signature", {"exp": None}),
        ("expired", {"exp": NOW.timestamp() - 5}),
        ("not_yet_valid", {"nbf": NOW.timestamp() + 6}),
        ("not_yet_valid", {"iat": NOW.timestamp() + 6}),
        ("times", {"exp": "tomorrow"}),
        ("key", {"iss": "https://nobody.example"}),
        ("key", {"iss": SITE.uri}),
    ],
)
async def test_what_is_not_its_token_for_here_and_now_is_refused(
    access: Access, reason: str, change: dict[str, Any]
) -> None:
    assert await why(access, token(**change)) == reason


async def test_neither_none_nor_its_public_key_as_a_secret_will_do(access: Access, issuer: Published) -> None:
    assert await why(access, jwt.encode(jwt.decode(token(), options={"verify_signature": False}), "", "none",
                                        {"kid": "one"})) == "signature"  # fmt: skip
    claims = jwt.decode(token(), options={"verify_signature": False})
    secret = "ab" * 32
    issuer.content = json.dumps({"keys": [{"kty": "oct", "k": secret, "kid": "one", "alg": "HS256"}]}).encode()
    assert await why(access, jwt.encode(claims, secret, "HS256", {"kid": "one"})) in ("key", "signature")


async def test_an_algorithm_that_is_not_configured_is_refused(
    open_door: Callable[..., Access], issuer: Published
) -> None:
    issuer.content = published(("one", KEY), alg="RS512")

    assert await why(open_door(issuers=Issuers([ISSUER], issuer)), token(algorithm="RS512")) == "algorithm"


async def test_it_is_asked_once_while_its_keys_are_fresh_and_seldom_for_keys_it_has_not(
    access: Access, issuer: Published, clock: Clock
) -> None:
    await asyncio.gather(*(access.caller(bearer(token(sub=str(n)))) for n in range(10)))
    assert issuer.asked == 1
    for number in range(10):
        await why(access, token(kid=f"none{number}"))
    assert issuer.asked == 1

    clock.on(jwks.RETRY)
    issuer.content = published(("one", KEY), ("two", OTHER))
    assert (await access.caller(bearer(token(OTHER, "two")))).subject == "https://login.example#someone"
    assert issuer.asked == 2


async def test_a_key_that_it_takes_back_is_refused_once_the_keys_are_fetched_again(
    access: Access, issuer: Published, clock: Clock
) -> None:
    await access.caller(bearer(token()))
    issuer.content = published(("two", OTHER))
    clock.on(jwks.FRESH)

    assert await why(access, token()) == "key"


@pytest.mark.parametrize("content", [OSError("away"), b"", b"[]", b'{"keys": 5}', b'{"keys": [5, {}, {"kid": "one"}]}'])
async def test_where_it_is_away_its_keys_stay_good_for_an_hour(
    access: Access, issuer: Published, clock: Clock, content: bytes | OSError
) -> None:
    until = NOW.timestamp() + 86_400
    await access.caller(bearer(token(exp=until)))
    issuer.content = content if isinstance(content, OSError) or b"{}" not in content else OSError("away")
    clock.on(timedelta(minutes=59))
    await access.caller(bearer(token(exp=until)))
    clock.on(timedelta(minutes=1))

    assert await why(access, token(exp=until)) == "key"


def test_keys_are_bounded_and_those_of_no_use_left_out() -> None:
    with pytest.raises(ValueError, match="at most 50"):
        keys_in(published(*((str(n), KEY) for n in range(51))))
    assert keys_in(published(("one", KEY), use="enc")) == {}
    assert keys_in(b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "one", "alg": "HS256"}]}') == {}
    assert list(keys_in(published(("one", KEY)))) == ["one"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/jwks", "file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_nothing_but_https_is_ever_fetched(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        fetched(url)


async def test_a_slow_issuer_holds_nobody_else_up(clock: Clock) -> None:
    def slow(_: str) -> bytes:
        import time

        time.sleep(0.3)
        return published(("one", KEY))

    waiting = asyncio.ensure_future(KeySet(ISSUER.jwks_uri, slow).named("one", NOW))
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(0.01)
    assert asyncio.get_running_loop().time() - began < 0.2
    assert await waiting is not None


def file(tmp_path: Path, **change: object) -> Path:
    told = {"issuer": "https://login.example", "jwks_uri": "https://login.example/jwks", **change}
    (tmp_path / "issuers.json").write_text(json.dumps({"version": "1", "issuers": [told]}))
    return tmp_path / "issuers.json"


def test_a_file_of_issuers_is_read(tmp_path: Path) -> None:
    scopes = sorted(OWN_SCOPES)
    (found,) = load_issuers(file(tmp_path, role="gateway", scopes=scopes, algorithms=["ES256"]), SITE.uri)

    assert (found.audience, found.role, found.scopes) == (SITE.uri, Role.GATEWAY, OWN_SCOPES)
    assert found.algorithms == {"ES256"}
    assert load_issuers(None, SITE.uri) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"jwks_uri": "http://login.example/jwks"}, "https"),
        ({"jwks_uri": "https://user@login.example/jwks"}, "https"),
        ({"jwks_uri": 5}, "jwks_uri"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"algorithms": []}, "algorithms"),
        ({"scopes": ["events:write"]}, "scopes"),
        ({"scopes": "earnings:read"}, "scopes"),
        ({"role": "operator"}, "role"),
        ({"wallet_claim": 5}, "wallet_claim"),
        ({"issuer": SITE.uri}, "this gateway itself"),
        ({"jwks": "x"}, "'jwks'"),
    ],
)
def test_a_file_that_is_wrong_stops_the_start_and_says_where(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    with pytest.raises(BadRequest, match=told) as caught:
        load_issuers(file(tmp_path, **change), SITE.uri)
    assert caught.value.argument == "NAAP_ISSUERS"
