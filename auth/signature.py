"""Ethereum's hashes and signatures: Keccak-256, addresses with their checksum (EIP-55), and who signed a digest.

The curve is libsecp256k1 (through coincurve) and the hash pycryptodome's; why these: docs/decisions/0110.
"""

import re

from coincurve import PublicKey
from Crypto.Hash import keccak

from metrics.errors import BadRequest

SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}")
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
# EIP-2: of the two signatures with one meaning only the one with the lower s counts.
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def keccak256(data: bytes) -> bytes:
    """The hash that Ethereum uses: 32 bytes."""
    return keccak.new(digest_bits=256, data=data).digest()


def personal_digest(text: str) -> bytes:
    """What a wallet signs for a text (EIP-191, `personal_sign`)."""
    data = text.encode()
    return keccak256(b"\x19Ethereum Signed Message:\n%d%b" % (len(data), data))


def checksummed(address: str) -> str:
    """The address with its checksum written into the case of its letters (EIP-55)."""
    digits = address[2:].lower()
    marks = keccak256(digits.encode()).hex()
    return "0x" + "".join(d.upper() if int(mark, 16) > 7 else d for d, mark in zip(digits, marks, strict=False))


def address_of(public_key: bytes) -> str:
    """The address of an uncompressed public key (65 bytes), in lower case."""
    return "0x" + keccak256(public_key[1:])[-20:].hex()


def signer(digest: bytes, signature: str) -> str | None:
    """The wallet whose key made this signature of a digest, in lower case; None where no key did.

    Raises BadRequest for a text that is no signature: 65 bytes r, s, v as 0x and 130 hexadecimal digits.
    """
    if not SIGNATURE.fullmatch(signature):
        raise BadRequest("signature must be 0x and 130 hexadecimal digits: what a wallet's signing gives.", "signature")
    raw = bytes.fromhex(signature[2:])
    recovery = raw[64] - 27 if raw[64] >= 27 else raw[64]
    if recovery not in (0, 1) or int.from_bytes(raw[32:64]) > HALF_ORDER:
        return None
    try:
        key = PublicKey.from_signature_and_message(raw[:64] + bytes([recovery]), digest, hasher=None)
    except Exception:  # coincurve raises bare Exceptions for numbers that are no signature
        return None
    return address_of(key.format(compressed=False))


def read_address(text: object, argument: str) -> str:
    """A wallet in any case as lower case. Raises BadRequest naming the argument."""
    if not isinstance(text, str) or not ADDRESS.fullmatch(text):
        raise BadRequest(f"{argument} must be a wallet: 0x and 40 hexadecimal digits.", argument)
    return text.lower()
