"""`naap token` as people run it, beside a gateway that serves."""

import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.gateway.processes import environment, free_port, graphql, naap, started

KINDS = ("key", "jwt")
WALLET = "0x" + "aB" * 20


def status(port: int, token: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_tokens_are_issued_listed_and_revoked_beside_a_gateway_that_serves(tmp_path: Path) -> None:
    store, port = tmp_path / "store", free_port()
    more = {"NAAP_PORT": str(port), "NAAP_LOG_LEVEL": "error"}
    issue = ("token", "issue", "--name", "explorer", "--role", "orchestrator", "--wallet", WALLET)
    with started("serve", env=environment(store, **more), port=port) as serving:
        done = [
            naap(*issue, "--scope", "earnings:read", "--kind", kind, store=store, **more) for kind in ("key", "jwt")
        ]
        tokens = [one.stdout.strip() for one in done]
        assert [status(port, token) for token in tokens] == [200, 200]
        listed = naap("token", "list", "--format", "ndjson", store=store, **more).stdout
        (first, second) = [json.loads(line) for line in listed.splitlines()]
        assert (first["name"], first["role"], first["scopes"]) == ("explorer", "orchestrator", "earnings:read")
        assert first["last_used"] is not None
        assert naap("token", "revoke", first["id"], store=store, **more).returncode == 0
        assert naap("token", "rotate", "--retire", store=store, **more).stdout.count("\n") == 2
        kept = naap(*issue, "--scope", "earnings:read", "--kind", "jwt", store=store, **more).stdout.strip()
        assert naap("token", "rotate", store=store, **more).stdout.count("\n") == 1
        until = time.monotonic() + 10  # it looks for new keys every five seconds
        while status(port, kept) != 200 and time.monotonic() < until:
            time.sleep(0.2)
        assert status(port, kept) == 200
        tokens.append(kept)
        assert "is retired" in naap("token", "retire", store=store, **more).stdout
        assert "nothing to retire" in naap("token", "retire", store=store, **more).stdout
        refused = json.loads(naap("token", "list", "--format", "ndjson", store=store, **more).stdout.splitlines()[0])
        assert (refused["state"], second["state"]) == ("revoked", "in force")
        assert status(port, tokens[0] + "x") == 401
        assert graphql(port, "{ viewer { subject } }") == {"viewer": None}
    output = serving.stdout.read() if serving.stdout else ""
    assert '"event": "token_refused", "client": "127.0.0.0/24", "reason": "key"' in output
    for token in tokens:
        assert token not in output
    for file in (tmp_path / "store-auth").rglob("*"):
        assert os.stat(file).st_mode & 0o077 == 0, file


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--name", "Ü", "--role", "operator"), "--name"),
        (("--name", "m", "--role", "orchestrator"), "--wallet"),
        (("--name", "m", "--role", "gateway", "--wallet", "0x1"), "--wallet"),
        (("--name", "m", "--role", "operator", "--scope", "all"), "--scope"),
        (("--name", "m", "--role", "orchestrator", "--wallet", WALLET, "--scope", "events:write"), "--scope"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    done = naap("token", "issue", *arguments, store=tmp_path / "store")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"naap: {told}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NAAP_PUBLIC_URL", "gateway.example"),
        ("NAAP_PUBLIC_URL", "https://gateway.example/path"),
        ("NAAP_OPERATORS", "0x1"),
        ("NAAP_LOGIN_DOMAINS", "https://x"),
        ("NAAP_AUTH_STORE", "mysql://x"),
        ("NAAP_AUTH_DIRECTORY", "/proc/nothing"),
        ("NAAP_ISSUERS", "/dev/null"),
    ],
)
def test_a_wrong_setting_is_told_in_a_line(tmp_path: Path, name: str, value: str) -> None:
    done = naap("token", "list", store=tmp_path / "store", **{name: value})

    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert name in done.stderr or "/proc/nothing" in done.stderr
