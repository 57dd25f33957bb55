"""EIP-4361 messages: read to the letter, and refused where they are not for here and now."""

from dataclasses import replace
from datetime import timedelta

import pytest

from auth import siwe
from auth.refusal import Refused
from auth.signature import checksummed
from auth.site import Site
from metrics.errors import BadRequest
from tests.auth.conftest import ALICE, NOW, SITE

RIGHT = siwe.Message(SITE.domain, ALICE.address, SITE.uri, SITE.chain_id, "a1b2c3d4e5", NOW, statement="Hello.")
FULL = f"""https://gateway.example wants you to sign in with your Ethereum account:
{checksummed(ALICE.address)}

I accept: this.

URI: https://gateway.example/auth/login
Version: 1
Chain ID: 42161
Nonce: 32891756abcDEF
Issued At: 2026-01-09T15:00:00.123456789+01:00
Expiration Time: 2026-01-09T14:05:00Z
Not Before: 2026-01-09T13:59:59Z
Request ID: some-request
Resources:
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/
- https://example.com/my-web2-claim.json"""


def test_every_part_of_a_message_is_read() -> None:
    message = siwe.parse(FULL)

    assert (message.scheme, message.domain, message.address) == ("https", "gateway.example", ALICE.address)
    assert (message.uri, message.chain_id) == ("https://gateway.example/auth/login", 42_161)
    assert (message.nonce, message.statement) == ("32891756abcDEF", "I accept: this.")
    assert message.issued_at == NOW + timedelta(microseconds=123_456)
    assert message.expires_at == NOW + timedelta(minutes=5)
    assert message.not_before == NOW - timedelta(seconds=1)
    siwe.check(message, SITE, NOW)


@pytest.mark.parametrize("statement", [None, "Hello."])
def test_what_is_written_can_be_read(statement: str | None) -> None:
    message = replace(RIGHT, statement=statement, expires_at=NOW + timedelta(minutes=1), not_before=NOW)

    assert siwe.parse(message.text()) == message


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("\n", "\r\n"),
        ("Version: 1\n", ""),
        ("Nonce: 32891756abcDEF", "Nonce: short"),
        ("Nonce: 32891756abcDEF", "Nonce: has-dashes-in"),
        ("\nURI:", "\nIssued At: 2026-01-09T14:00:00Z\nURI:"),
        ("Issued At: 2026-01-09T15", "Issued At: 2026-01-09 15"),
        ("2026-01-09T14:05:00Z", "2026-02-30T14:05:00Z"),
        ("Chain ID: 42161", "Chain ID: 0x1"),
        ("- ipfs:", "ipfs:"),
        ("claim.json", "claim.json\n"),
        ("I accept: this.", "I accept: this.\nAnd that."),
        ("I accept: this.", "x" * 5000),
    ],
)
def test_a_text_that_is_no_message_is_a_bad_request(right: str, wrong: str) -> None:
    with pytest.raises(BadRequest) as caught:
        siwe.parse(FULL.replace(right, wrong))
    assert caught.value.argument == "message"


def test_an_address_without_its_checksum_is_told_the_right_one() -> None:
    with pytest.raises(BadRequest, match=checksummed(ALICE.address)):
        siwe.parse(RIGHT.text().replace(checksummed(ALICE.address), ALICE.address))


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("domain", {"domain": "gateway.example.evil"}),
        ("domain", {"domain": "gateway.example:8443"}),
        ("scheme", {"scheme": "http"}),
        ("uri", {"uri": "https://gateway.example.evil/"}),
        ("uri", {"uri": "https://evil/?https://gateway.example"}),
        ("version", {"version": "2"}),
        ("chain", {"chain_id": 1}),
        ("future", {"issued_at": NOW + timedelta(seconds=61)}),
        ("old", {"issued_at": NOW - timedelta(minutes=10, seconds=1)}),
        ("expired", {"expires_at": NOW}),
        ("not_yet", {"not_before": NOW + timedelta(seconds=1)}),
    ],
)
def test_a_message_that_is_not_for_here_and_now_is_refused(reason: str, change: dict[str, object]) -> None:
    with pytest.raises(Refused) as caught:
        siwe.check(replace(RIGHT, **change), SITE, NOW)
    assert caught.value.reason == reason


def test_a_page_of_a_configured_host_may_ask() -> None:
    site = Site(SITE.uri, SITE.chain_id, frozenset({"dashboard.example"}))

    siwe.check(replace(RIGHT, domain="dashboard.example"), site, NOW)
