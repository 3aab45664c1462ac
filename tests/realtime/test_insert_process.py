"""The process of live plugins, seen from the session: what it measures, and the states it leaves."""

from collections.abc import Callable
from pathlib import Path

import pytest

from semeq.engine.inserts import Insert, Place, opened
from semeq.engine.plugin_state import read_state
from semeq.realtime.insert_keeper import InsertKeeper
from semeq.realtime.insert_kept import Kept

FS, BLOCK = 48_000.0, 128


def test_a_hidden_delay_is_measured_and_said_and_the_state_is_left(
    tmp_path: Path, vst3: Callable[[str], Path]
) -> None:
    values = (("reported_delay_frames", "100"), ("hidden_delay_frames", "60"), ("gain_db", "-6"))
    insert = Insert(vst3("gain"), Place.POST, values=values)
    kept, said = Kept(1, insert, "gain", save=tmp_path / "gain.json"), list[str]()
    keeper = InsertKeeper(Place.POST, [kept], FS, 2, BLOCK, 2 * BLOCK, said.append)
    keeper.prepare(is_strict=True)
    try:
        (note,) = keeper.notes()
    finally:
        keeper.finish()
    assert (note["latency_frames"], note["measured_frames"]) == (100, 160)
    assert keeper.delay_frames == 2 * BLOCK + 100
    (line,) = said
    assert line.startswith(
        "insert 1 (Test Gain) reports a latency of 100 frames, but is late by 160:"
    )
    state = read_state(tmp_path / "gain.json")
    with opened(Insert(insert.path, state=state), FS, 2) as guest:
        found = {facts.name: facts.value for facts in guest.parameters()}
    assert found["gain_db"] == pytest.approx(-6.0, abs=0.01)
    assert found["hidden_delay_frames"] == pytest.approx(60.0, abs=1.0)
