"""The image and the compose files: pinned, watched, unprivileged, and without a secret in them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.places import places_of
from gateway.settings import described
from tests.gateway.processes import ROOT

DOCKER = ROOT / "docker"
COMPOSE = sorted(DOCKER.glob("compose.*.yaml"))
# A tag with a whole version in it, never `latest` nor a tag that moves.
PINNED = re.compile(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*")
SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|KEY|BACKEND")


def services(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["services"]
    return found


def test_there_is_one_for_each_store_and_one_for_both() -> None:
    told = {path.name: set(services(path)) for path in COMPOSE}
    assert told == {
        "compose.timescale.yaml": {"gateway", "timescale"},
        "compose.clickhouse.yaml": {"gateway", "clickhouse"},
        "compose.both.yaml": {"gateway", "timescale", "clickhouse"},
    }


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_every_service_is_pinned_watched_and_gets_its_secrets_from_files(path: Path) -> None:
    whole = yaml.safe_load(path.read_text("utf-8"))
    for name, service in whole["services"].items():
        assert PINNED.fullmatch(service["image"]), service["image"]
        assert service["healthcheck"]["test"][0] == "CMD", f"{name}: no shell"
        assert "no-new-privileges:true" in service["security_opt"]
        for variable, value in service["environment"].items():
            if SECRET.search(variable):
                assert variable.endswith("_FILE"), f"{name}: {variable} would hold a secret"
                assert value.removeprefix("/run/secrets/") in service["secrets"]
        assert set(service.get("secrets", ())) <= set(whole["secrets"])
    assert all(list(secret) == ["file"] and "${NAAP_SECRETS" in secret["file"] for secret in whole["secrets"].values())
    assert not re.search(r"://[^/\s]*:[^/\s]*@", path.read_text("utf-8"))
    used = {volume.partition(":")[0] for service in whole["services"].values() for volume in service.get("volumes", ())}
    assert used == set(whole["volumes"])


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_the_gateway_waits_for_its_stores_and_is_published_here_only(path: Path) -> None:
    gateway = services(path)["gateway"]
    stores = set(services(path)) - {"gateway"}

    assert {name: how["condition"] for name, how in gateway["depends_on"].items()} == dict.fromkeys(
        stores, "service_healthy"
    )
    assert all(port.startswith("127.0.0.1:") for port in gateway["ports"])
    assert not any("ports" in service for name, service in services(path).items() if name in stores)
    assert (gateway["read_only"], gateway["cap_drop"]) == (True, ["ALL"])
    assert (DOCKER / gateway["build"]["context"] / gateway["build"]["dockerfile"]).exists()
    known = {name for name, _, _ in described()}
    assert set(gateway["environment"]) <= known


def test_the_image_is_pinned_unprivileged_and_watched() -> None:
    lines = (DOCKER / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
    said = [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines if line and line[0] != "#"]

    assert all(PINNED.match(value) for word, value in said if word == "FROM")
    assert [value for word, value in said if word == "USER"] == ["10001:10001"]
    assert any(word == "HEALTHCHECK" and "/healthz" in value for word, value in said)
    after_user = [word for word, _ in said[[word for word, _ in said].index("USER") :]]
    assert "RUN" not in after_user
    assert "COPY" not in after_user


def test_the_image_takes_every_package_along() -> None:
    kept = set((DOCKER / "Dockerfile.dockerignore").read_text("utf-8").split())
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    packages = re.search(r"\[tool.hatch.build.targets.wheel\]\npackages = \[(.*?)\]", project)
    assert packages is not None
    assert {f"!{name}" for name in re.findall(r'"(\w+)"', packages[1])} <= kept


def test_the_backends_that_the_readme_writes_are_understood() -> None:
    readme = (DOCKER / "README.md").read_text("utf-8")
    written = [text.replace("%s", "secret") for text in re.findall(r"printf '(.*?)'", readme)]

    assert [[place.name for place in places_of(text)] for text in written] == [
        ["store-1"],
        ["store-1"],
        ["hot", "cold"],
    ]
