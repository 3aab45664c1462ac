"""Inserts of a render: aligned to the sample, as long as the input, every failure one line."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sound_files import noise, write_float

from semeq.engine.audiofile import AudioReader
from semeq.engine.errors import DataError, PluginError, SettingsError
from semeq.engine.inserts import Insert, Inserts, Place, opened
from semeq.engine.plugin_state import read_state, save_state
from semeq.engine.render import RenderJob, render_file
from semeq.engine.settings import Band, EQSettings
from semeq.engine.units import Audio

FS = 48_000.0
Vst3 = Callable[[str], Path]


def read_sound(path: Path) -> Audio:
    return np.concatenate(list(AudioReader(path).blocks()))


def cut(sound: Audio, sizes: list[int]) -> Iterator[Audio]:
    at = 0
    for size in sizes:
        yield sound[at : at + size]
        at += size
    yield sound[at:]


@pytest.mark.parametrize(
    ("channels", "latency", "frames"),
    [
        *((2, latency, 5000) for latency in (0, 1, 1023, 1024, 4096)),
        *((2, 4096, frames) for frames in (0, 1, 1024, 70_000)),
        (1, 1024, 5000),
    ],
)
def test_aligned_to_the_sample_and_as_long(
    vst3: Vst3, channels: int, latency: int, frames: int
) -> None:
    insert = Insert(vst3("gain"), values=(("reported_delay_frames", str(latency)),))
    inserts = Inserts((insert,), FS, channels)
    sound = noise(frames, channels)
    out = [*inserts.through(Place.POST, iter([sound]))]
    got = np.concatenate(out) if out else np.zeros((0, channels), dtype=np.float32)
    assert got.shape == sound.shape
    assert got == pytest.approx(sound, abs=1e-6)  # 0 dB is a raw value of 0.7142857
    assert inserts.notes[0]["latency_frames"] == latency


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(1, 3000), max_size=6))
def test_any_cut_gives_the_same_bits(vst3: Vst3, sizes: list[int]) -> None:
    insert = Insert(vst3("equaliser"), values=(("band_2_gain_db", "7"),))
    inserts = Inserts((insert,), FS, 2)
    sound = noise(7000, 2)
    whole = np.concatenate([*inserts.through(Place.POST, iter([sound]))])
    parts = np.concatenate([*inserts.through(Place.POST, cut(sound, sizes))])
    assert np.array_equal(parts, whole)
    assert not np.array_equal(whole, sound)


def test_what_is_no_number_becomes_silence_and_is_counted(vst3: Vst3) -> None:
    inserts = Inserts((Insert(vst3("rogue"), values=(("not_a_number", "on"),)),), FS, 2)
    out = np.concatenate([*inserts.through(Place.POST, iter([noise(2048, 2)]))])
    assert not out.any()
    assert inserts.notes[0]["bad_samples"] == 4096
    assert "4,096 samples that are no numbers" in inserts.warnings[0]


def test_inserts_stand_where_they_were_put_and_their_loudness_is_theirs(
    vst3: Vst3, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    sound = noise(96_000, 2)
    write_float(source, sound)
    bands = list(EQSettings.flat().bands)
    bands[1] = Band(bands[1].kind, 200.0, 6.0, 1.0)
    job = RenderJob(source, target, EQSettings(tuple(bands)), overwrite=True)
    plain = render_file(job)
    alone = read_sound(target)
    delayed = (("gain_db", "-4"), ("reported_delay_frames", "555"))
    post = render_file(replace(job, inserts=(Insert(vst3("gain"), Place.POST, values=delayed),)))
    # behind the EQ and its levelling gain: the same sound, 4 dB lower
    assert read_sound(target) == pytest.approx(alone * 10.0 ** (-4.0 / 20.0), abs=1e-6)
    assert post.gain_db == pytest.approx(plain.gain_db, abs=1e-9)
    assert post.inserts[0]["place"] == "post"
    render_file(replace(job, inserts=(Insert(vst3("gain"), Place.PRE, values=delayed),)))
    # the EQ is linear: before it, the same, too
    assert read_sound(target) == pytest.approx(alone * 10.0 ** (-4.0 / 20.0), abs=1e-6)


def test_a_flat_eq_with_an_insert_leaves_the_rest_alone(vst3: Vst3, tmp_path: Path) -> None:
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    sound = noise(50_001, 1)
    write_float(source, sound)
    report = render_file(RenderJob(source, target, inserts=(Insert(vst3("rogue"), Place.PRE),)))
    assert np.array_equal(read_sound(target), read_sound(source))
    assert report.gain_db == 0.0


@pytest.mark.parametrize("place", [Place.PRE, Place.POST])
def test_a_crash_leaves_what_was_there(vst3: Vst3, tmp_path: Path, place: Place) -> None:
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    write_float(source, noise(4096, 2))
    target.write_bytes(b"precious")
    insert = Insert(vst3("rogue"), place, values=(("crash", "on"),))
    with pytest.raises(PluginError, match="crashed at its work"):
        render_file(RenderJob(source, target, overwrite=True, inserts=(insert,)))
    assert target.read_bytes() == b"precious"
    assert sorted(tmp_path.iterdir()) == [source, target]


def test_a_state_comes_back(vst3: Vst3, tmp_path: Path) -> None:
    file = tmp_path / "gain.json"
    values = (("gain_db", "-7.5"), ("hidden_delay_frames", "12"))
    with opened(Insert(vst3("gain"), values=values), FS, 2) as guest:
        save_state(guest, file)
    state = read_state(file)
    with opened(Insert(vst3("gain"), state=state), FS, 2) as guest:
        found = {facts.name: facts.value for facts in guest.parameters()}
        assert found["gain_db"] == pytest.approx(-7.5, abs=1e-4)
        assert found["hidden_delay_frames"] == 12.0
        out = guest.stream(np.eye(1024, 2, dtype=np.float32))
        assert out[12, 0] == pytest.approx(10.0 ** (-7.5 / 20.0), abs=1e-5)
    with (
        pytest.raises(DataError, match="must be a state of Test Rogue by semeq tests, got one of"),
        opened(Insert(vst3("rogue"), state=state), FS, 2),
    ):
        pass
    altered = replace(state, raws=(("gain_db", 0.1),))
    with (
        pytest.raises(PluginError, match=r"did not take its state back: gain_db should be 0\.100"),
        opened(Insert(vst3("gain"), state=altered), FS, 2),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.json", b"", "is not a state that semeq saved"),
        ("a.json", b"\xff\x00junk", "is not a state that semeq saved"),
        ("a.json", b"[1, 2]", "is not a state that semeq saved"),
        ("a.json", b'{"semeq_plugin_state": 1}', "is not a state that semeq saved"),
        ("a.vstpreset", b"nothing", "is damaged: a preset must begin with VST3"),
    ],
)
def test_state_files_that_are_none(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=said):
        read_state(tmp_path / name)


def test_a_changed_state_file_is_noticed(vst3: Vst3, tmp_path: Path) -> None:
    file = tmp_path / "gain.json"
    with opened(Insert(vst3("gain")), FS, 2) as guest:
        save_state(guest, file)
    text = file.read_text(encoding="utf-8")
    at = text.index('"state": "') + 30
    letter = "A" if text[at] != "A" else "B"
    file.write_text(text[:at] + letter + text[at + 1 :], encoding="utf-8")
    with pytest.raises(DataError, match="is damaged: its checksum is not that of its state"):
        read_state(file)


def test_an_unknown_parameter_is_named_before_anything_runs(vst3: Vst3) -> None:
    with (
        pytest.raises(SettingsError, match="has no parameter 'loudness'"),
        opened(Insert(vst3("gain"), values=(("loudness", "3"),)), FS, 2),
    ):
        pass
