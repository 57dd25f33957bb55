"""Hashes, addresses and signatures: published vectors, and an implementation of others as the oracle."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.delegation import proposed
from auth.signature import HALF_ORDER, checksummed, keccak256, personal_digest, signer
from auth.site import Site
from metrics.errors import BadRequest
from tests.auth.conftest import ALICE
from tests.auth.oracle import Account, encode_defunct, encode_typed_data

ORDER = 2 * HALF_ORDER + 1


def test_the_hash_is_keccak_and_not_sha3() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@pytest.mark.parametrize(  # from EIP-55
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7",
    ],
)
def test_checksums_are_those_of_the_standard(address: str) -> None:
    assert checksummed(address.lower()) == address


@pytest.mark.parametrize("text", ["", "hello", "ünï\n\ncode", "x" * 5000])
def test_a_wallet_of_others_signs_texts_that_are_read_here(text: str) -> None:
    wallet = Account.create()
    signature = Account.sign_message(encode_defunct(text=text), wallet.key).signature.hex().removeprefix("0x")

    assert signer(personal_digest(text), f"0x{signature}") == wallet.address.lower()


def test_a_wallet_of_others_signs_the_typed_data_of_a_delegation() -> None:
    wallet, site = Account.create(), Site("https://gateway.example", 42_161)
    now = datetime.now(UTC)
    given = proposed(
        wallet.address.lower(), ALICE.address, ["earnings:read", "sessions:read"], now, now + timedelta(days=3), now
    )
    asked = encode_typed_data(full_message=given.typed_data(site))
    signature = Account.sign_message(asked, wallet.key).signature.hex().removeprefix("0x")

    assert signer(given.digest(site), f"0x{signature}") == given.orchestrator


def test_the_other_form_of_a_signature_does_not_count() -> None:
    digest = keccak256(b"one")
    raw = bytes.fromhex(ALICE.sign_digest(digest)[2:])
    other = raw[:32] + (ORDER - int.from_bytes(raw[32:64])).to_bytes(32) + bytes([27 + 28 - raw[64]])

    assert signer(digest, "0x" + raw.hex()) == ALICE.address
    assert signer(digest, "0x" + other.hex()) is None


@pytest.mark.parametrize("raw", ["00" * 65, "ff" * 65, "ff" * 32 + "00" * 31 + "01" + "1b", "01" * 64 + "63"])
def test_numbers_that_no_key_made_are_nobodys(raw: str) -> None:
    assert signer(keccak256(b"one"), f"0x{raw}") is None


@pytest.mark.parametrize("text", ["", "0x", "0x" + "0" * 129, "0x" + "g" * 130, "0" * 132, "0x" + "0" * 132])
def test_what_is_no_signature_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        signer(keccak256(b"one"), text)
    assert caught.value.argument == "signature"
