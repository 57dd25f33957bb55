"""Signs in to a running gateway with a wallet and asks who it is taken for:
`.venv/bin/python examples/login.py [URL]`.

The wallet's key is made on the spot and forgotten; with your own, sign the same text with `personal_sign` (any
wallet, or eth-account). Runs where naap-gateway is installed (`. .venv/bin/activate`), whose libraries it uses.
"""

import json
import sys
import urllib.error
import urllib.request
from typing import Any

try:
    from coincurve import PrivateKey
    from Crypto.Hash import keccak
except ImportError as missing:
    sys.exit(
        f"{missing.name} is not installed for this Python. After `make install`: .venv/bin/python examples/login.py"
    )

HERE = "http://127.0.0.1:8000"
VIEWER = "{ viewer { wallet roles scopes orchestrators expiresAt } }"


def keccak256(data: bytes) -> bytes:
    """Ethereum's hash."""
    return keccak.new(digest_bits=256, data=data).digest()


def address(key: PrivateKey) -> str:
    """The wallet that belongs to a key."""
    return "0x" + keccak256(key.public_key.format(compressed=False)[1:])[-20:].hex()


def personal_sign(key: PrivateKey, text: str) -> str:
    """What a wallet gives for a text (EIP-191)."""
    data = text.encode()
    digest = keccak256(b"\x19Ethereum Signed Message:\n%d%b" % (len(data), data))
    signature = key.sign_recoverable(digest, hasher=None)
    return "0x" + (signature[:64] + bytes([27 + signature[64]])).hex()


def post(url: str, body: dict[str, object], token: str | None = None) -> dict[str, Any]:
    """The JSON that answers a JSON body."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def main() -> None:
    """Sign in, ask, sign out."""
    url = (sys.argv[1] if len(sys.argv) > 1 else HERE).rstrip("/")
    key = PrivateKey()
    try:
        message = post(f"{url}/auth/nonce", {"address": address(key)})["message"]
        tokens = post(f"{url}/auth/login", {"message": message, "signature": personal_sign(key, message)})
        answer = post(f"{url}/graphql", {"query": VIEWER}, tokens["access_token"])
        post(f"{url}/auth/logout", {"refresh_token": tokens["refresh_token"]})
    except urllib.error.HTTPError as error:
        sys.exit(f"{url} answers {error.code}: {error.read(500).decode(errors='replace')}")
    except (OSError, ValueError) as error:
        sys.exit(f"{url} cannot be asked: {error}. Is a gateway running there? (make demo, or naap serve)")
    print(json.dumps(answer["data"], indent=2))


if __name__ == "__main__":
    main()
