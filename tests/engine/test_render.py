"""Rendering: level, peaks, alignment, bit-exact pass-through, memory, and failures that leave no trace."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from sound_files import ffmpeg, noise, to_pcm, write_float, write_pcm

from semeq.engine import spool as spool_module
from semeq.engine.audiofile import AudioReader
from semeq.engine.audiowriter import Encoding
from semeq.engine.design import design, design_sos
from semeq.engine.errors import AudioFileError, DataError
from semeq.engine.levels import CEILING_DB, ceiling_for
from semeq.engine.render import RenderJob, render_file, warm_up
from semeq.engine.report import Levels, RenderReport
from semeq.engine.settings import EQSettings
from semeq.engine.timeline import ControlSet, Event, Take, replay
from semeq.engine.truepeak import TruePeakMeter
from semeq.engine.units import Audio

FS = 48_000
# the limiter's promise
CEILING_TOLERANCE_DB = 0.1
# float32 in, float32 kept between the passes, a gain in float32
KERNEL_RTOL_DB = -130.0


def eq(*gains_db: float) -> EQSettings:
    bands = EQSettings.flat().bands
    gains = (*gains_db, *(0.0,) * (7 - len(gains_db)))
    return EQSettings(tuple(replace(b, gain_db=g) for b, g in zip(bands, gains, strict=True)))


WARM = eq(6.0, 2.0, 0.0, -1.0, -2.0, 0.0, -6.0)


def read(path: Path) -> Audio:
    return np.concatenate(list(AudioReader(path).blocks()))


def render(source: Path, target: Path, settings: EQSettings = WARM) -> RenderReport:
    return render_file(RenderJob(source, target, settings))


def gain_between(x: Audio, y: Audio, settings: EQSettings) -> tuple[float, float]:
    """Return the gain in dB from the filtered `x` to `y`, and the level of what is left, in dB."""
    wanted = scipy.signal.sosfilt(design_sos(settings, FS), x.astype(np.float64), axis=0)
    gain = float(np.sum(wanted * y) / np.sum(wanted * wanted))
    rest = np.sqrt(np.mean((y - gain * wanted) ** 2) / np.mean(y.astype(np.float64) ** 2))
    return 20.0 * np.log10(gain), 20.0 * np.log10(rest)


@pytest.mark.parametrize("seconds", [3.0, 0.2])
def test_the_output_is_the_filtered_input_at_the_same_loudness(
    tmp_path: Path, seconds: float
) -> None:
    x = noise(round(FS * seconds), 2, 0.05)
    source = write_float(tmp_path / "in.wav", x)
    report = render(source, tmp_path / "out.wav")
    gain_db, rest_db = gain_between(x, read(tmp_path / "out.wav"), WARM)
    assert gain_db == pytest.approx(report.gain_db, abs=1e-4)
    assert rest_db < KERNEL_RTOL_DB
    assert report.limiting is None
    assert report.frames == len(x)
    if seconds > 1.0:
        measured = render(tmp_path / "out.wav", tmp_path / "again.wav", EQSettings.flat())
        assert measured.before.loudness_lufs == pytest.approx(
            report.before.loudness_lufs, abs=0.005
        )
        assert measured.before.true_peak == pytest.approx(report.after.true_peak, rel=1e-5)
    else:  # too short for a loudness: energies decide
        assert report.before.loudness_lufs is None
        assert abs(report.gain_db) > 0.3


@pytest.mark.parametrize("gain_db", [12.0, -12.0])
def test_loudness_drifts_by_less_than_a_tenth(tmp_path: Path, gain_db: float) -> None:
    rng = np.random.default_rng(0)
    envelope = np.repeat(10.0 ** (rng.uniform(-30.0, 0.0, 25) / 20.0), FS // 5)[:, None]
    x = (noise(len(envelope), 2, 0.02) * envelope).astype(np.float32)
    source = write_float(tmp_path / "in.wav", x)
    report = render(source, tmp_path / "out.wav", eq(gain_db, gain_db, 0.0, -gain_db))
    measured = render(tmp_path / "out.wav", tmp_path / "again.wav", EQSettings.flat())
    assert measured.before.loudness_lufs == pytest.approx(report.before.loudness_lufs, abs=0.1)


def test_without_room_between_the_passes_the_result_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_float(tmp_path / "in.wav", noise(FS, 2, 0.05))
    render(source, tmp_path / "kept.wav")
    monkeypatch.setattr(spool_module, "MAX_BYTES", 100_000)
    render(source, tmp_path / "twice.wav")
    assert (tmp_path / "kept.wav").read_bytes() == (tmp_path / "twice.wav").read_bytes()


def loud(tmp_path: Path, level: float = 0.9) -> Path:
    """Write music-like sound whose samples come close to full scale."""
    rng = np.random.default_rng(4)
    x = scipy.signal.lfilter([1.0], [1.0, -0.9], rng.standard_normal((3 * FS, 2)), axis=0)
    x = np.tanh(x / np.abs(x).max() * 3.0)
    return write_float(tmp_path / "in.wav", (level * x / np.abs(x).max()).astype(np.float32))


def true_peak_db(path: Path) -> float:
    meter = TruePeakMeter(2)
    meter.feed(read(path))
    return 20.0 * float(np.log10(meter.true_peak()))


def test_peaks_stay_below_the_ceiling(tmp_path: Path) -> None:
    source = loud(tmp_path, 0.8)
    assert true_peak_db(source) < CEILING_DB
    report = render(source, tmp_path / "out.wav", eq(0.0, 0.0, 9.0))
    assert report.limiting is not None
    assert report.limiting.ceiling_db == CEILING_DB
    assert report.limiting.limited_frames > 0
    assert true_peak_db(tmp_path / "out.wav") <= CEILING_DB + CEILING_TOLERANCE_DB
    assert true_peak_db(tmp_path / "out.wav") == pytest.approx(
        20.0 * np.log10(report.after.true_peak), abs=1e-3
    )


def test_the_limiters_delay_is_taken_off(tmp_path: Path) -> None:
    source = loud(tmp_path, 0.8)
    settings = eq(0.0, 0.0, 9.0)
    report = render(source, tmp_path / "out.wav", settings)
    assert report.limiting is not None
    assert report.limiting.delay_frames == 240
    x, y = read(source), read(tmp_path / "out.wav")
    assert len(x) == len(y)
    wanted = scipy.signal.sosfilt(design_sos(settings, FS), x.astype(np.float64), axis=0)
    together = scipy.signal.correlate(y[:, 0].astype(np.float64), wanted[:, 0], "full", "fft")
    assert int(np.argmax(together)) - (len(x) - 1) == 0


def test_a_loud_master_may_stay_as_loud_as_it_was(tmp_path: Path) -> None:
    source = loud(tmp_path, 1.0)
    before_db = true_peak_db(source)
    assert before_db > CEILING_DB
    report = render(source, tmp_path / "out.wav", eq(0.0, 0.0, 0.0, 3.0))
    assert true_peak_db(tmp_path / "out.wav") <= before_db + CEILING_TOLERANCE_DB
    if report.limiting is not None:
        assert report.limiting.ceiling_db == pytest.approx(before_db, abs=1e-3)


FLOAT, PCM = Encoding("wav", "float32"), Encoding("wav", "int16")


@pytest.mark.parametrize(
    ("before", "after", "encoding", "expected"),
    [
        ((0.5, 0.5), (0.8, 0.8), FLOAT, None),  # below the ceiling
        ((0.5, 0.5), (0.95, 0.9), FLOAT, -1.0),  # risen above it
        ((1.2, 1.0), (1.2, 1.1), FLOAT, None),  # no higher than it was
        ((1.2, 1.0), (1.3, 1.1), FLOAT, 20.0 * np.log10(1.2)),
        ((1.2, 1.0), (1.19, 0.99), PCM, None),  # between samples only, as it was
        ((1.2, 1.0), (1.19, 1.01), PCM, 0.0),  # samples would clip
        ((1.2, 1.0), (1.3, 0.99), PCM, 0.0),
        ((2.0, 2.0), (1.5, 1.5), PCM, 0.0),  # a float input beyond full scale
        ((2.0, 2.0), (1.5, 1.5), FLOAT, None),
    ],
)
def test_when_a_limiter_is_needed(
    before: tuple[float, float],
    after: tuple[float, float],
    encoding: Encoding,
    expected: float | None,
) -> None:
    got = ceiling_for(Levels(-20.0, *before), Levels(-20.0, *after), encoding, CEILING_DB)
    assert got == (None if expected is None else pytest.approx(expected))


def test_integers_do_not_clip(tmp_path: Path) -> None:
    x = read(loud(tmp_path, 0.999))
    source = write_pcm(tmp_path / "pcm.wav", to_pcm(x, 16), 16)
    report = render(source, tmp_path / "out.wav", eq(0.0, 0.0, 9.0))
    assert report.clipped_samples == 0


@pytest.mark.parametrize(
    ("suffix", "bits"),
    [
        ("wav", 8),
        ("wav", 16),
        ("wav", 24),
        ("aiff", 8),
        ("aiff", 16),
        ("aiff", 24),
        ("flac", 16),
        ("flac", 24),
    ],
)
def test_flat_is_bit_exact(tmp_path: Path, suffix: str, bits: int) -> None:
    pcm = to_pcm(noise(5000, 2, 0.3), bits)
    pcm[0] = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    source = write_pcm(tmp_path / "in.wav", pcm, bits)
    report = render(source, tmp_path / f"out.{suffix}", EQSettings.flat())
    assert np.array_equal(read(tmp_path / f"out.{suffix}") * 2.0 ** (bits - 1), pcm)
    assert (report.gain_db, report.limiting, report.warnings) == (0.0, None, ())
    assert report.before == report.after


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_flat_in_the_same_container_is_a_copy(tmp_path: Path, suffix: str) -> None:
    wav = write_pcm(tmp_path / "in.wav", to_pcm(noise(20_000), 16), 16)
    source = wav if suffix == "wav" else ffmpeg(wav, tmp_path / f"in.{suffix}")
    render(source, tmp_path / f"out.{suffix}", EQSettings.flat())
    assert (tmp_path / f"out.{suffix}").read_bytes() == source.read_bytes()


def test_flat_keeps_peaks_beyond_full_scale(tmp_path: Path) -> None:
    x = noise(FS, 2, 0.8)
    source = write_float(tmp_path / "in.wav", x)
    assert np.abs(x).max() > 2.0
    render(source, tmp_path / "out.wav", EQSettings.flat())
    assert read(tmp_path / "out.wav").tobytes() == x.tobytes()


def test_fewer_bits_are_dithered_even_when_flat(tmp_path: Path) -> None:
    source = write_pcm(tmp_path / "in.wav", to_pcm(noise(5000), 24), 24)
    flac = ffmpeg(source, tmp_path / "in.flac", "-sample_fmt", "s32")
    render(flac, tmp_path / "out.flac", EQSettings.flat())
    assert AudioReader(tmp_path / "out.flac").source.sample_format == "int24"
    assert np.array_equal(read(tmp_path / "out.flac"), read(source))


def test_silence_stays_silence(tmp_path: Path) -> None:
    source = write_pcm(tmp_path / "in.wav", np.zeros((FS, 2), dtype=np.int64), 16)
    report = render(source, tmp_path / "out.wav")
    assert not read(tmp_path / "out.wav").any()
    assert report.gain_db == 0.0
    content = report.as_dict()
    assert content["in"]["loudness_lufs"] is None
    assert content["out"]["true_peak_dbtp"] is None


@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize("fs", [8000, 192_000])
def test_any_rate_and_channel_count(tmp_path: Path, fs: int, channels: int) -> None:
    x = noise(fs // 2, channels, 0.05)
    source = write_float(tmp_path / "in.wav", x, fs)
    report = render(source, tmp_path / "out.wav")
    reader = AudioReader(tmp_path / "out.wav")
    assert (reader.fs, reader.channels, reader.source.frames) == (fs, channels, len(x))
    assert report.channels == channels
    alone = write_float(tmp_path / "one.wav", np.ascontiguousarray(x[:, :1]), fs)
    render_file(RenderJob(alone, tmp_path / "one.out.wav", WARM))
    one, all_of_them = read(tmp_path / "one.out.wav")[:, 0], read(tmp_path / "out.wav")[:, 0]
    # another gain, the same filter
    assert np.corrcoef(one, all_of_them)[0, 1] > 1.0 - 1e-9


@pytest.mark.parametrize("frames", [1, 2, 100])
def test_tiny_sounds(tmp_path: Path, frames: int) -> None:
    source = write_float(tmp_path / "in.wav", np.full((frames, 2), 0.5, dtype=np.float32))
    report = render(source, tmp_path / "out.wav", eq(12.0))
    assert len(read(tmp_path / "out.wav")) == frames
    assert report.frames == frames


@pytest.mark.parametrize("settings", [WARM, EQSettings.flat()])
def test_damage_is_silenced_counted_and_said(tmp_path: Path, settings: EQSettings) -> None:
    x = noise(FS)
    x[100:103, 0] = np.nan, np.inf, 1e30
    source = write_float(tmp_path / "in.wav", x)
    report = render(source, tmp_path / "out.wav", settings)
    assert report.bad_samples == 3
    assert report.warnings == (
        "3 damaged samples (not a number, or beyond ±10,000) became silence",
    )
    y = read(tmp_path / "out.wav")
    assert np.isfinite(y).all()
    assert np.abs(y).max() < 2.0
    if settings.is_flat:
        x[100:103, 0] = 0.0
        assert np.array_equal(x, y)


def test_what_a_format_cannot_hold_is_said(tmp_path: Path) -> None:
    source = write_float(tmp_path / "in.wav", noise(FS, 2, 0.05))
    report = render(source, tmp_path / "out.aiff")
    assert report.warnings == ("32-bit float WAV is written as 24-bit AIFF",)


def test_progress_rises_to_one(tmp_path: Path) -> None:
    source = write_float(tmp_path / "in.wav", noise(3 * FS))
    for settings in (WARM, EQSettings.flat()):
        told: list[float] = []
        job = RenderJob(source, tmp_path / "out.wav", settings, overwrite=True)
        render_file(job, told.append)
        assert told == sorted(told)
        assert told[-1] == 1.0
        assert len(told) > 5


def test_the_report_holds_what_happened(tmp_path: Path) -> None:
    source = write_float(tmp_path / "in.wav", noise(FS, 2, 0.05))
    content = render(source, tmp_path / "out.wav").as_dict()
    assert content["status"] == "done"
    assert content["samplerate"] == FS
    assert content["duration_s"] == 1.0
    assert content["in"]["format"] == "32-bit float WAV"
    assert content["loudness_drift_lu"] == 0.0
    (entry,) = content["timeline"]
    assert entry["t_s"] == 0.0
    assert [band["gain_db"] for band in entry["bands"]] == [6.0, 2.0, 0.0, -1.0, -2.0, 0.0, -6.0]
    assert entry["gain_db"] == content["gain_db"] != 0.0
    assert content["limiter"] == {
        "used": False,
        "ceiling_dbtp": None,
        "delay_frames": 0,
        "delay_s": 0.0,
        "limited_frames": 0,
    }


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("defect", ["cut", "missing", "text"])
def test_a_bad_input_leaves_no_trace(tmp_path: Path, defect: str) -> None:
    source = tmp_path / "in.wav"
    if defect == "cut":
        write_float(source, noise(FS))
        source.write_bytes(source.read_bytes()[:100_000])
    elif defect == "text":
        source.write_text("no sound")
    target = tmp_path / "out.wav"
    target.write_bytes(b"old")
    before = files(tmp_path)
    with pytest.raises(AudioFileError):
        render_file(RenderJob(source, target, WARM, overwrite=True))
    assert target.read_bytes() == b"old"
    assert files(tmp_path) == before


def test_a_flac_that_turns_out_damaged_leaves_no_trace(tmp_path: Path) -> None:
    wav = write_pcm(tmp_path / "in.wav", to_pcm(noise(FS), 16), 16)
    source = ffmpeg(wav, tmp_path / "in.flac")
    raw = bytearray(source.read_bytes())
    raw[len(raw) // 2 :] = b""
    source.write_bytes(raw)
    with pytest.raises(AudioFileError, match="checksum"):
        render(source, tmp_path / "out.flac")
    assert files(tmp_path) == ["in.flac", "in.wav"]


def test_an_input_is_never_replaced(tmp_path: Path) -> None:
    source = write_float(tmp_path / "in.wav", noise(1000))
    other = write_float(tmp_path / "other.wav", noise(1000))
    raw = source.read_bytes()
    for target in (source, other):
        with pytest.raises(AudioFileError, match="is the input"):
            render_file(RenderJob(source, target, WARM, overwrite=True, protected=(other,)))
    assert source.read_bytes() == other.read_bytes() == raw


LIMITED_DISK = """
import resource, signal, sys
from pathlib import Path
from semeq.engine.errors import AudioFileError
from semeq.engine.render import RenderJob, render_file
from semeq.engine.settings import EQSettings
from dataclasses import replace
low, *rest = EQSettings.flat().bands
settings = EQSettings((replace(low, gain_db=6.0), *rest))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    render_file(RenderJob(Path(sys.argv[1]), Path(sys.argv[2]), settings, overwrite=True))
except AudioFileError as error:
    print(error)
"""


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "ogg", "mp3"])
def test_a_disk_that_is_full(tmp_path: Path, suffix: str) -> None:
    # a limit on the size of files: what the system says is another word for the same
    source = write_float(tmp_path / "in.wav", noise(FS, 2, 0.05))
    target = tmp_path / f"out.{suffix}"
    target.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED_DISK, str(source), str(target), "20000"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{target} cannot be written: file too large\n"
    assert target.read_bytes() == b"old"
    assert files(tmp_path) == sorted(["in.wav", target.name])


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="mounts a small disk")
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_real_disk_that_is_full(tmp_path: Path, suffix: str) -> None:
    source = write_float(tmp_path / "in.wav", noise(3 * FS, 2, 0.05))
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=60k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(AudioFileError, match="cannot be written: no space left on device"):
            render(source, disk / f"out.{suffix}")
        assert files(disk) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


INTERRUPTED = """
import sys
from pathlib import Path
from semeq.engine.render import RenderJob, render_file
from semeq.engine.settings import EQSettings
from dataclasses import replace
low, *rest = EQSettings.flat().bands
settings = EQSettings((replace(low, gain_db=6.0), *rest))
def told(share):
    if share >= float(sys.argv[3]):
        print("now", flush=True)
for _ in range(1000):
    render_file(RenderJob(Path(sys.argv[1]), Path(sys.argv[2]), settings, overwrite=True), told)
"""


@pytest.mark.parametrize(("suffix", "share"), [("wav", 0.2), ("wav", 0.7), ("flac", 0.8)])
def test_ctrl_c_leaves_no_trace(tmp_path: Path, suffix: str, share: float) -> None:
    source = write_float(tmp_path / "in.wav", noise(20 * FS, 2, 0.05))
    target = tmp_path / f"out.{suffix}"
    command = [sys.executable, "-c", INTERRUPTED, str(source), str(target), str(share)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.wait(10.0)
    assert process.returncode != 0
    assert set(files(tmp_path)) <= {"in.wav", target.name}


MEMORY = """
import sys
from pathlib import Path
from semeq.engine.render import RenderJob, render_file
from semeq.engine.settings import EQSettings
from dataclasses import replace
low, *rest = EQSettings.flat().bands
settings = EQSettings((replace(low, gain_db=6.0), *rest))
report = render_file(RenderJob(Path(sys.argv[1]), Path(sys.argv[2]), settings))
# not ru_maxrss: that starts with the memory of whoever started us
status = Path("/proc/self/status").read_text()
print(report.frames, next(line.split()[1] for line in status.splitlines() if "VmHWM" in line))
"""


def sparse_wav(path: Path, seconds: int, channels: int, fs: int = 8000) -> Path:
    """Write a long 32-bit float WAV that takes almost no room on the disk: mostly silence."""
    size = seconds * fs * channels * 4
    with path.open("wb") as file:
        header = bytearray(
            write_float(path.with_suffix(".tmp"), noise(1, channels), fs).read_bytes()
        )
        header[4:8] = (36 + size).to_bytes(4, "little")
        header[40:44] = size.to_bytes(4, "little")
        file.write(header[:44])
        for at in range(0, seconds, seconds // 4):
            file.seek(44 + at * fs * channels * 4)
            file.write(noise(fs, channels, 0.05).tobytes())
        file.truncate(44 + size)
    path.with_suffix(".tmp").unlink()
    return path


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
def test_three_hours_fit_into_300_megabytes(tmp_path: Path) -> None:
    # 3 hours of 8 kHz in 2 channels: too long to be kept between the passes, as real ones are
    seconds = 3 * 3600
    source = sparse_wav(tmp_path / "in.wav", seconds, 2)
    warm_up()  # compiling takes memory of its own, once
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(source), str(tmp_path / "out.flac")],
        capture_output=True,
        text=True,
        check=True,
    )
    frames, peak_kb = (int(word) for word in done.stdout.split())
    assert frames == seconds * 8000
    assert peak_kb < 300_000


def test_a_recorded_session_renders_bit_for_bit(tmp_path: Path) -> None:
    x = noise(FS, 2, 0.2)
    x[:700] = 0.0
    source = write_float(tmp_path / "in.wav", x)
    events = (
        Event(0, ControlSet(design(WARM, FS), 0, gate_frames=480)),
        Event(9000, ControlSet(design(eq(-6.0), FS, gain_db=-3.0), 960)),
    )
    take = Take(FS, 2, 72, -6.0, events, first_sound=1700, frames=FS + 1000)
    job = RenderJob(source, tmp_path / "out.wav", take=take)
    report = render_file(job)
    expected = np.concatenate(list(replay(take, [x], start=1000)))
    assert read(tmp_path / "out.wav").tobytes() == expected.tobytes()
    assert (report.gain_db, report.limiting) == (0.0, None)
    assert [entry["t_s"] for entry in report.timeline] == [0.0, 9000 / FS]


@pytest.mark.parametrize(("fs", "channels"), [(44_100, 2), (FS, 1)])
def test_a_recorded_session_wants_its_own_kind_of_sound(
    tmp_path: Path, fs: int, channels: int
) -> None:
    source = write_float(tmp_path / "in.wav", noise(1000, channels), fs)
    take = Take(FS, 2, 0, None, (Event(0, ControlSet(design(WARM, FS), 0)),), 0, 1000)
    with pytest.raises(AudioFileError, match=r"must have 2 channels at 48000 Hz"):
        render_file(RenderJob(source, tmp_path / "out.wav", take=take))


def test_a_file_with_too_much_silence_in_front(tmp_path: Path) -> None:
    x = noise(1000)
    x[:500] = 0.0
    source = write_float(tmp_path / "in.wav", x)
    take = Take(FS, 2, 0, None, (Event(0, ControlSet(design(WARM, FS), 0)),), 100, 1000)
    with pytest.raises(DataError, match="cut 400 frames"):
        render_file(RenderJob(source, tmp_path / "out.wav", take=take))
    assert files(tmp_path) == ["in.wav"]
