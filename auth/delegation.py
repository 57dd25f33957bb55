"""A delegation: an orchestrator's wallet signs once that another wallet may act for it (EIP-712 typed data)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from auth.caller import OWN_SCOPES, Scope
from auth.refusal import Refused
from auth.signature import checksummed, keccak256, signer
from auth.site import NAME, VERSION, Site
from metrics.errors import BadRequest

MAX_LIFETIME = timedelta(days=366)
AHEAD = timedelta(minutes=1)

FIELDS = {
    "EIP712Domain": (("name", "string"), ("version", "string"), ("chainId", "uint256"), ("salt", "bytes32")),
    "Delegation": (
        ("gateway", "string"),
        ("orchestrator", "address"),
        ("delegate", "address"),
        ("scopes", "string"),
        ("issuedAt", "uint256"),
        ("expiresAt", "uint256"),
    ),
}


@dataclass(frozen=True, slots=True)
class Delegation:
    """`delegate` may act for `orchestrator` with these scopes until `expires_at`. Wallets are in lower case."""

    orchestrator: str
    delegate: str
    scopes: frozenset[Scope]
    issued_at: datetime
    expires_at: datetime

    def typed_data(self, site: Site) -> dict[str, Any]:
        """What the wallet signs, as `eth_signTypedData_v4` takes it."""
        return {
            "types": {kind: [{"name": n, "type": t} for n, t in fields] for kind, fields in FIELDS.items()},
            "primaryType": "Delegation",
            "domain": {
                "name": NAME,
                "version": VERSION,
                "chainId": site.chain_id,
                # Binds it to this gateway; `gateway` below says so to whoever signs.
                "salt": "0x" + keccak256(site.uri.encode()).hex(),
            },
            "message": {
                "gateway": site.uri,
                "orchestrator": checksummed(self.orchestrator),
                "delegate": checksummed(self.delegate),
                "scopes": " ".join(sorted(self.scopes)),
                "issuedAt": _seconds(self.issued_at),
                "expiresAt": _seconds(self.expires_at),
            },
        }

    def digest(self, site: Site) -> bytes:
        """The 32 bytes that the wallet signs."""
        data = self.typed_data(site)
        return keccak256(b"\x19\x01" + _hashed("EIP712Domain", data["domain"]) + _hashed("Delegation", data["message"]))


def proposed(
    orchestrator: str, delegate: str, scopes: Iterable[str], issued_at: datetime, expires_at: datetime, now: datetime
) -> Delegation:
    """A delegation of these words. Raises BadRequest where it cannot be."""
    if orchestrator == delegate:
        raise BadRequest("delegate is the orchestrator itself, which needs no delegation.", "delegate")
    wanted = read_scopes(scopes)
    if not wanted:
        raise BadRequest(f"scopes is empty. Name some of: {', '.join(sorted(OWN_SCOPES))}.", "scopes")
    if issued_at > now + AHEAD:
        raise BadRequest("issued_at is in the future.", "issued_at")
    if expires_at <= now:
        raise BadRequest("expires_at is in the past. Name a time to come.", "expires_at")
    if expires_at - issued_at > MAX_LIFETIME:
        raise BadRequest("expires_at is more than 366 days after issued_at. Name an earlier time.", "expires_at")
    return Delegation(
        orchestrator, delegate, wanted, issued_at.replace(microsecond=0), expires_at.replace(microsecond=0)
    )


def check(delegation: Delegation, signature: str, site: Site) -> None:
    """Whether the orchestrator signed it. Raises Refused where it did not."""
    if signer(delegation.digest(site), signature) != delegation.orchestrator:
        raise Refused(
            "signature",
            "the signature is not the orchestrator's of this delegation. Let its wallet sign the typed data that "
            "/auth/delegations/draft gives for the same orchestrator, delegate, scopes, issued_at and expires_at.",
        )


def read_scopes(texts: Iterable[str], allowed: frozenset[Scope] = OWN_SCOPES) -> frozenset[Scope]:
    """These texts as scopes. Raises BadRequest for one that is not allowed."""
    wanted = frozenset(texts)
    strange = sorted(wanted - allowed)
    if strange:
        raise BadRequest(f"scopes names {strange[0][:40]!r}. There are: {', '.join(sorted(allowed))}.", "scopes")
    return frozenset(Scope(one) for one in wanted)


def _seconds(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp())


def _hashed(kind: str, values: dict[str, Any]) -> bytes:
    """hashStruct of EIP-712, for structs of plain fields."""
    fields = FIELDS[kind]
    signature = f"{kind}({','.join(f'{type_} {name}' for name, type_ in fields)})"
    return keccak256(keccak256(signature.encode()) + b"".join(_encoded(t, values[n]) for n, t in fields))


def _encoded(type_: str, value: Any) -> bytes:
    if type_ == "string":
        return keccak256(value.encode())
    if type_ == "uint256":
        return int(value).to_bytes(32)
    return bytes.fromhex(value[2:]).rjust(32, b"\0")  # address, bytes32
