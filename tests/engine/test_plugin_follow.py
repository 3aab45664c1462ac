"""Curves that move, followed with a real plugin's knobs: how near, and in how few measurements."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from plugin_maps import BRIGHT, FS, WARM, four_peaks, settings_of, three_band

from semeq.engine.inserts import opened
from semeq.engine.plugin_fit import PluginFitter
from semeq.engine.plugin_follow import Following, PluginFollower
from semeq.engine.plugin_map import PluginMap, turned_by
from semeq.engine.settings import EQSettings

Vst3 = Callable[[str], Path]
BLOCKSIZE = 128
#: More steps than any of these curves took.
MANY = 200


@contextmanager
def following(given: PluginMap) -> Iterator[tuple[PluginFitter, PluginFollower]]:
    with opened(turned_by(given), FS, 1, BLOCKSIZE) as guest:
        fitter = PluginFitter(guest, given, FS, 1, BLOCKSIZE)
        yield fitter, PluginFollower(fitter, FS)


def rest(follower: PluginFollower, settings: EQSettings) -> Following:
    follower.aim(settings)
    for _ in range(MANY):
        follower.step()
    assert follower.is_settled
    return follower.following()


MIX = settings_of(0.0, 0.0, 6.0, 0.0, -4.0, 0.0, 0.0)


def test_at_rest_it_is_as_near_as_a_fit_for_a_file(vst3: Vst3) -> None:
    with following(four_peaks(vst3("equaliser"))) as (_, follower):
        # measured 0.053 and 0.006, wherever it came from; a fit for a file 0.10 and 0.02
        for settings in (WARM, MIX):
            found = rest(follower, settings)
            assert found.settings == settings
            assert found.rms_db < 0.1
            assert found.max_db < 0.25
            assert abs(found.level_db) < 0.5
        assert rest(follower, EQSettings.flat()).max_db < 0.02


def test_a_third_partys_three_bands(vst3: Vst3) -> None:
    with following(three_band(vst3("three_band"))) as (_, follower):
        # as near as a fit for a file: measured 0.114 and 0.071
        for settings in (WARM, BRIGHT):
            assert rest(follower, settings).rms_db < 0.2
        assert rest(follower, EQSettings.flat()).max_db < 0.02


def test_a_knob_is_followed_on_its_way(vst3: Vst3) -> None:
    given = four_peaks(vst3("equaliser"))
    with following(given) as (fitter, follower):
        rest(follower, EQSettings.flat())
        before, errors = fitter.measured, []
        for amount in np.linspace(0.0, 1.0, 13):
            follower.aim(WARM.scaled(float(amount)))
            follower.step()
            follower.step()
            errors.append(follower.rms_db)
        # measured 0.15 dB at most
        assert max(errors) < 0.3
        assert fitter.measured - before < 12 * 30


def test_ranges_hold_and_what_is_told_is_so(vst3: Vst3) -> None:
    given = four_peaks(vst3("equaliser"))
    with following(given) as (fitter, follower):
        found = rest(follower, settings_of(12.0, 12.0, -12.0, 12.0, -12.0, 12.0, -12.0))
        assert all(-15.0 <= value <= 15.0 for name, value in found.values if "gain" in name)
        assert all(0.0 <= raw <= 1.0 for _, raw in found.raws)
        places = np.array([knob.place(dict(found.values)[knob.name]) for knob in fitter.knobs])
        again = fitter.response_db(places)
    with following(given) as (fresh, _):
        assert fresh.response_db(places) == pytest.approx(again, abs=0.01)
