"""The simulated network, loaded once."""

import pytest

from tests.compat.network import Network, simulated


@pytest.fixture(scope="session")
def network() -> Network:
    return simulated()
