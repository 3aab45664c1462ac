"""Takes over JACK: files, connections, and what two recordings have in common."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jack_probe import Probe

from semeq.engine.design import response_db
from semeq.engine.settings import Band, EQSettings, Kind
from semeq.engine.timeline import Take, align, replay
from semeq.engine.units import Audio, Floats

FS = 48_000


def write_wav(path: Path, audio: Audio) -> Path:
    """Write a 32-bit float file."""
    from pedalboard.io import AudioFile

    with AudioFile(
        str(path), "w", samplerate=FS, num_channels=audio.shape[1], bit_depth=32
    ) as file:
        file.write(np.ascontiguousarray(audio.T))
    return path


def read_wav(path: Path) -> Audio:
    """Read a file."""
    from pedalboard.io import AudioFile

    with AudioFile(str(path)) as file:
        return np.ascontiguousarray(file.read(file.frames).T)


def through_semeq(probe: Probe) -> None:
    """Put semeq between the probe's outputs and its inputs, and nothing else."""
    for i in (0, 1):
        probe.disconnect(f"system:capture_{i + 1}", f"semeq:in_{i}")
        probe.disconnect(f"semeq:out_{i}", f"system:playback_{i + 1}")
        probe.connect(f"{probe.name}:out_{i + 1}", f"semeq:in_{i}")
        probe.connect(f"semeq:out_{i}", f"{probe.name}:in_{i + 1}")


def lag(sent: Audio, heard: Audio) -> int:
    """Return the delay in frames at which `heard` correlates best with `sent`."""
    size = 1 << 16
    a, b = (np.fft.rfft(x[:size, 0].astype(np.float64), 2 * size) for x in (sent, heard))
    return int(np.argmax(np.fft.irfft(b * np.conj(a))[:size]))


def assert_nulls(take: Take, sent: Audio, heard: Audio) -> None:
    """Assert that the take, rendered again over what was sent, is what was heard, bit for bit."""
    first = int(np.argmax(np.any(sent != 0.0, axis=1)))
    again = np.concatenate(list(replay(take, [sent], start=align(take, first))))
    assert len(again) == len(sent)
    delay = lag(again, heard)
    assert delay <= 4096
    np.testing.assert_array_equal(heard[delay:], again[: len(heard) - delay])
    assert np.abs(again - sent).max() > 0.01  # it was not just passed through


@dataclass(frozen=True, slots=True)
class Move:
    """A set as the log tells it: the frame it was taken at, and its bands."""

    frame: int
    settings: EQSettings

    def curve(self, freqs_hz: Floats) -> Floats:
        """Return the curve of the bands, its level removed."""
        curve: Floats = response_db(self.settings, FS, freqs_hz)
        level: float = curve.mean()
        return curve - level


def moves(log: Path) -> list[Move]:
    """Return the sets of a log in which the bands differ from those before; the closing fade left out."""
    found: list[Move] = []
    for line in log.read_text().splitlines():
        record = json.loads(line)
        if "bands" not in record or not record["gate_open"]:
            continue
        bands = [Band(Kind(b["kind"]), b["freq_hz"], b["gain_db"], b["q"]) for b in record["bands"]]
        move = Move(record["frame"], EQSettings(tuple(bands)))
        if not found or move.settings != found[-1].settings:
            found.append(move)
    return found
