"""Plugins in a process of their own: values, latency, channels, and every way in which they fail."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from semeq.engine.errors import PluginError, SettingsError
from semeq.engine.plugin_guest import Guest

FS = 48_000.0
Vst3 = Callable[[str], Path]


@pytest.fixture(scope="module")
def gain(vst3: Vst3) -> Iterator[Guest]:
    with Guest(vst3("gain")) as guest:
        yield guest


def test_facts_and_parameters(gain: Guest) -> None:
    assert gain.facts["name"] == "Test Gain"
    assert gain.facts["vendor"] == "semeq tests"
    found = {facts.name: facts for facts in gain.parameters()}
    facts = found["gain_db"]
    assert (facts.label, facts.unit, facts.low, facts.high) == ("Gain", "dB", -60.0, 24.0)


@pytest.mark.parametrize("name", ["gain_db", "Gain", "GAIN"])
def test_a_value_arrives_as_it_was_given(gain: Guest, name: str) -> None:
    # setting Pedalboard's attribute would snap to a thousandth of the range, 0.08 dB here
    gain.set({name: "-6.0206 dB", "reported_delay_frames": 0, "hidden_delay_frames": 0})
    gain.prepare(FS, 2)
    out = gain.stream(np.full((1024, 2), 0.5, dtype=np.float32))
    assert 20.0 * np.log10(out[-1, 0] / 0.5) == pytest.approx(-6.0206, abs=1e-4)


@pytest.mark.parametrize(("channels", "said"), [(1, "mono through both"), (2, "2 channels")])
def test_the_latency_is_known_before_the_first_sound(gain: Guest, channels: int, said: str) -> None:
    gain.set({"gain_db": 0.0, "reported_delay_frames": 300, "hidden_delay_frames": 7})
    gain.prepare(FS, channels)
    assert gain.latency_frames == 300
    assert said in gain.arrangement
    sent = np.zeros((4096, channels), dtype=np.float32)
    sent[10] = 1.0
    out = gain.stream(sent)
    assert np.array_equal(np.flatnonzero(out[:, 0]), [317])
    assert out[317, 0] == pytest.approx(1.0, abs=1e-6)


def test_a_mono_plugin_takes_every_channel_by_itself(vst3: Vst3) -> None:
    with Guest(vst3("gain_mono")) as guest:
        guest.set({"gain_db": 6.0, "reported_delay_frames": 100})
        guest.prepare(44_100.0, 3)
        assert guest.arrangement == "3 mono plugins side by side"
        assert guest.latency_frames == 100
        rng = np.random.default_rng(1)
        sent = rng.standard_normal((2048, 3)).astype(np.float32)
        out = guest.stream(sent)
        assert out[100:] == pytest.approx(sent[:-100] * 10.0 ** (6.0 / 20.0), abs=1e-5)


def test_channels_that_it_does_not_take_are_refused(gain: Guest) -> None:
    with pytest.raises(PluginError, match="Test Gain must take 6 channels"):
        gain.prepare(FS, 6)
    gain.prepare(FS, 2)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("gane", 1.0, "has no parameter 'gane': did you mean gain_db"),
        ("gain_db", 99, "gain_db must be in -60 to 24 dB, got '99'"),
        ("gain_db", "loud", "gain_db must be in -60 to 24 dB, got 'loud'"),
        ("gain_db", "nan", "gain_db must be in -60 to 24 dB, got 'nan'"),
    ],
)
def test_wrong_values_are_named(gain: Guest, name: str, value: float | str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        gain.set({name: value})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("crashes", "crashed while it was loaded .*SIGABRT"),
        ("hangs", "did not answer while it was loaded within 1.5 s"),
        ("no_factory", "is not a plugin that can be loaded here"),
    ],
)
def test_what_cannot_be_loaded_is_one_line(vst3: Vst3, name: str, said: str) -> None:
    bundle = vst3(name)
    with pytest.raises(PluginError, match=said) as caught:
        Guest(bundle, timeout_s=1.5 if name == "hangs" else 30.0)
    assert "\n" not in str(caught.value)


def test_what_is_not_there_or_no_plugin(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"no plugin is at .*semeq plugin scan"):
        Guest(tmp_path / "none.vst3")
    (tmp_path / "text.vst3").write_text("not a plugin", encoding="utf-8")
    with pytest.raises(PluginError, match=r"text.vst3 is not a plugin"):
        Guest(tmp_path / "text.vst3")


def test_a_crash_at_work_is_one_line_and_the_next_guest_works(vst3: Vst3) -> None:
    block = np.zeros((1024, 2), dtype=np.float32)
    with Guest(vst3("rogue")) as guest:
        guest.prepare(FS, 2)
        guest.stream(block)
        guest.set({"crash": "on"})
        with pytest.raises(PluginError, match=r"crashed at its work .*SIGABRT"):
            guest.stream(block)
    with Guest(vst3("rogue")) as guest:
        guest.prepare(FS, 2)
        assert not guest.stream(block).any()


def test_nothing_of_the_child_stays(vst3: Vst3) -> None:
    with Guest(vst3("rogue")) as guest:
        process = guest._process
        assert process.poll() is None
    assert process.poll() is not None
