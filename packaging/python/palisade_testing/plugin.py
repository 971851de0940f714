"""The pytest fixture `palisade_server`."""

import pytest

from .server import Server


@pytest.fixture(scope="session")
def _palisade_process():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def palisade_server(_palisade_process):
    """A Firewall Manager without organization, inventory and policies: a `palisade_testing.Server`."""
    _palisade_process.reset()
    return _palisade_process
