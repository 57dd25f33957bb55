"""What docs/dashboard.md and docs/explorer.md tell works as it stands."""

import re
import shlex
from pathlib import Path

import httpx
import pytest

from rest.explorer import EXPLORER
from tests.compat.network import Network

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("dashboard", "explorer")}
COMMANDS = [
    line for text in PAGES.values() for line in "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S)).splitlines()
    if line.startswith("curl")
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_is_answered(network: Network, command: str) -> None:
    words = shlex.split(command)
    url = next(word for word in words if word.startswith("http"))
    transport = httpx.ASGITransport(network.app)
    async with httpx.AsyncClient(transport=transport) as client:
        if "-d" in words:
            kind = {"Content-Type": "application/json"}
            answer = await client.post(url, content=words[words.index("-d") + 1], headers=kind)
            assert answer.json()["data"]["kpi"]["successRate"]["value"] > 0
        else:
            answer = await client.get(url)

    assert answer.status_code == 200
    assert "errors" not in answer.json()


async def test_the_query_is_answered(network: Network) -> None:
    (query,) = re.findall(r"```graphql\n(.*?)```", PAGES["dashboard"], re.S)
    answer = await network.dashboard(query)

    assert answer.errors == []
    assert answer.data["fees"]["dayData"]


def test_every_call_is_named_and_asked() -> None:
    for operation in EXPLORER:
        assert f"`GET {operation.path}" in PAGES["explorer"]
        assert any(operation.path in command for command in COMMANDS)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGES[page]):
        assert (DOCS / target).exists(), target
