"""For all folders: the VST3 plugins that the tests host, and how hypothesis searches.

With ``HYPOTHESIS_PROFILE=ci``, as in ``.ci/run``, each run tries the same examples; otherwise others.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import vst3_plugins
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def vst3() -> Callable[[str], Path]:
    """What returns a test plugin's bundle by its name, see `vst3_plugins`."""
    return vst3_plugins.plugin


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lives in real time, mostly waiting: two of these may run beside each other, more may not."""
    for item in items:
        if "realtime" in item.path.parent.parts or item.get_closest_marker("jack"):
            item.add_marker("live")
