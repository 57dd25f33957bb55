"""Sign-In with Ethereum (EIP-4361): the message that a wallet signs, read, written and checked."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from auth.refusal import Refused
from auth.signature import checksummed
from auth.site import Site
from metrics.errors import BadRequest

STATEMENT = "Sign in to naap-gateway. This costs nothing and moves nothing."
MAX_LENGTH = 4096
# How long ago a message may have been made, and how far a wallet's clock may be ahead.
MAX_AGE, AHEAD = timedelta(minutes=10), timedelta(minutes=1)

_TIME = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)"
_MESSAGE = re.compile(
    r"(?:(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://)?(?P<domain>[^\s/?#@]+)"
    r" wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9a-fA-F]{40})\n\n(?:(?P<statement>[^\n]+)\n)?\n"
    r"URI: (?P<uri>\S+)\nVersion: (?P<version>\d+)\nChain ID: (?P<chain_id>\d{1,18})\n"
    r"Nonce: (?P<nonce>[a-zA-Z0-9]{8,128})\n"
    rf"Issued At: (?P<issued_at>{_TIME})(?:\nExpiration Time: (?P<expires_at>{_TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?(?:\nRequest ID: (?P<request_id>[^\n]*))?"
    r"(?:\nResources:(?P<resources>(?:\n- \S+)*))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Message:
    """What a wallet says when it signs in. `address` is in lower case."""

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: datetime
    expires_at: datetime | None = None
    not_before: datetime | None = None
    version: str = "1"
    scheme: str | None = None
    statement: str | None = None

    def text(self) -> str:
        """As a wallet signs it; scheme, request id and resources are left out."""
        lines = [
            f"{self.domain} wants you to sign in with your Ethereum account:",
            checksummed(self.address),
            "",
            *([self.statement] if self.statement else []),
            "",
            f"URI: {self.uri}",
            f"Version: {self.version}",
            f"Chain ID: {self.chain_id}",
            f"Nonce: {self.nonce}",
            f"Issued At: {written(self.issued_at)}",
            *([f"Expiration Time: {written(self.expires_at)}"] if self.expires_at else []),
            *([f"Not Before: {written(self.not_before)}"] if self.not_before else []),
        ]
        return "\n".join(lines)


def parse(text: str) -> Message:
    """The message that a text is. Raises BadRequest where it is none."""
    found = _MESSAGE.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if found is None:
        raise BadRequest(
            "message is no EIP-4361 message. Sign the one that a nonce comes with, unchanged, or follow "
            "https://eips.ethereum.org/EIPS/eip-4361 to the letter (lines end with \\n).",
            "message",
        )
    if found["address"] != checksummed(found["address"]):
        raise BadRequest(
            f"message names the wallet without its checksum: write {checksummed(found['address'])}.", "message"
        )
    return Message(
        domain=found["domain"],
        address=found["address"].lower(),
        uri=found["uri"],
        chain_id=int(found["chain_id"]),
        nonce=found["nonce"],
        issued_at=_time(found["issued_at"]),
        expires_at=_time(found["expires_at"]) if found["expires_at"] else None,
        not_before=_time(found["not_before"]) if found["not_before"] else None,
        version=found["version"],
        scheme=found["scheme"],
        statement=found["statement"],
    )


def check(message: Message, site: Site, now: datetime) -> None:
    """Whether the message is for this site and this moment. Raises Refused saying what it should be."""
    refusals = (
        ("domain", not site.may_ask(message.domain), f"is for another domain; here it must be {site.domain}"),
        ("scheme", message.scheme not in (None, site.uri.partition(":")[0]), f"must be for {site.uri}"),
        ("uri", not site.is_here(message.uri), f"is for another URI; here it must be {site.uri}"),
        ("version", message.version != "1", "must be of Version 1"),
        ("chain", message.chain_id != site.chain_id, f"is for another chain; here it must be {site.chain_id}"),
        ("future", message.issued_at > now + AHEAD, "was issued in the future: set the clock right"),
        ("old", message.issued_at < now - MAX_AGE, "was issued more than 10 minutes ago: sign a new one"),
        ("expired", message.expires_at is not None and message.expires_at <= now, "has expired: sign a new one"),
        ("not_yet", message.not_before is not None and message.not_before > now, "is not valid yet"),
    )
    for reason, wrong, told in refusals:
        if wrong:
            raise Refused(reason, f"the signed message {told}.")


def written(at: datetime) -> str:
    """A time as RFC 3339 in UTC, whole seconds."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", text.upper())).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(f"message holds {text!r}, which is no time of the calendar.", "message") from None
