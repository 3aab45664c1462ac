"""Fixtures of all folders: the VST3 plugins that the tests host."""

from collections.abc import Callable
from pathlib import Path

import pytest
import vst3_plugins


@pytest.fixture(scope="session")
def vst3() -> Callable[[str], Path]:
    """What returns a test plugin's bundle by its name, see `vst3_plugins`."""
    return vst3_plugins.plugin
