"""A wallet with a key made on the spot, and what a client does with it."""

from datetime import datetime, timedelta

from coincurve import PrivateKey

from auth.access import Access
from auth.delegation import Delegation
from auth.logins import Issued
from auth.signature import address_of, personal_digest
from auth.store.delegations import Kept


class Wallet:
    """Somebody with a key."""

    def __init__(self, seed: int) -> None:
        self._key = PrivateKey.from_int(seed + 1)
        self.address = address_of(self._key.public_key.format(compressed=False))

    def sign_digest(self, digest: bytes) -> str:
        raw = self._key.sign_recoverable(digest, hasher=None)
        return "0x" + (raw[:64] + bytes([raw[64] + 27])).hex()

    def sign(self, message: str) -> str:
        return self.sign_digest(personal_digest(message))

    async def login(
        self, access: Access, scopes: list[str] | None = None, orchestrator: "Wallet | None" = None
    ) -> Issued:
        message = access.logins.challenge(self.address).message
        assert message is not None
        acting = None if orchestrator is None else orchestrator.address
        return await access.logins.login(message, self.sign(message), scopes, acting, "203.0.113.77")

    async def delegate(
        self, access: Access, to: "Wallet", scopes: list[str], lifetime: timedelta = timedelta(days=7)
    ) -> Kept:
        """Sign that another wallet may act for this one; the other hands it in."""
        drafted = access.grants.draft(self.address, to.address, scopes, access.clock() + lifetime)
        return await hand_in(access, to, drafted, self.sign_digest(drafted.digest(access.site)))


async def hand_in(access: Access, by: Wallet, given: Delegation, signature: str) -> Kept:
    """Send a delegation, signed in as one of the two."""
    caller = await access.caller(bearer((await by.login(access)).access_token))
    return await access.grants.give(
        caller, given.orchestrator, given.delegate, given.scopes, given.issued_at, given.expires_at, signature
    )


def bearer(token: str) -> str:
    return f"Bearer {token}"


class Clock:
    """A clock that is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def on(self, length: timedelta) -> None:
        self.now += length
