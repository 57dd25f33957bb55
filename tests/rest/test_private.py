"""REST answers nothing private to anybody: every path, over a network full of it. tests/canaries searches."""

import pytest

from rest.operation import Listed, Single
from rest.routes import OPERATIONS
from tests.graph.owners import ALICE, BOB, GAIL, HAL, OF_ALICE, OF_BOB, events
from tests.rest.conftest import Surface

READS = [operation for operation in OPERATIONS if isinstance(operation, Listed | Single)]


@pytest.fixture
def filled(surface: Surface) -> Surface:
    surface.loader.load("default", events(ALICE, GAIL, "alice", OF_ALICE))
    surface.loader.load("default", events(BOB, HAL, "bob", OF_BOB))
    surface.loader.derive()
    return surface


# What is about no orchestrator.
NOBODYS = ("datasets", "demand", "pipelines", "regions")
ASKED = {"orchestrator_id": ALICE, "orchestrator": ALICE, "time_range": "24h"}


@pytest.mark.parametrize(("operation", "path"), [(one, path) for one in READS for path in (one.path, *one.aliases)])
async def test_no_path_tells_what_is_private(filled: Surface, operation: Listed | Single, path: str) -> None:
    query = "&".join(f"{one.name}={ASKED[one.name]}" for one in operation.own if one.name in ASKED)
    async with filled.client() as client:
        for accept in ("application/json", "text/csv"):
            answer = await client.get(f"{path}?{query}", headers={"Accept": accept})
            assert answer.status_code == 200 or (accept == "text/csv" and answer.status_code == 406), answer.text
            assert ALICE in answer.text or path.endswith(NOBODYS) or answer.status_code == 406
