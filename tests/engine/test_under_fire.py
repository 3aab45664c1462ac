"""Killed at any moment, on a full disk, against each other: the old file or the new, never half of one."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sound_files import noise, write_float

from semeq.engine.audiofile import AudioReader
from semeq.engine.errors import AudioFileError
from semeq.engine.render import RenderJob, render_file
from semeq.presets.library import shipped_vocabulary
from semeq.presets.personal import load_personal, make_word, save_word
from semeq.presets.remembered import Remembered, recall, remember

FRAMES = 20_000
WARM = shipped_vocabulary().words["warm"].settings

#: Each writes its file again and again; whatever stands in it is whole.
LOOPS = {
    "render": """
from semeq.engine.render import RenderJob, render_file
from semeq.presets.library import shipped_vocabulary
settings = shipped_vocabulary().words["warm"].settings
def write(n):
    part = settings.scaled(n % 2 * 0.5 + 0.5)
    render_file(RenderJob(place / "in.wav", place / "out.flac", part, overwrite=True))
""",
    "word": """
from semeq.presets.library import shipped_vocabulary
from semeq.presets.personal import make_word, save_word
shipped = shipped_vocabulary()
warm = shipped.words["warm"]
def write(n):
    word = make_word(f"own {n % 40}", warm.settings, warm.curve_db, 0.5, shipped)
    save_word(word, shipped, place / "words.json", overwrite=True)
""",
    "state": """
from semeq.presets.remembered import Remembered, remember
def write(n):
    remember(Remembered((("warm", n % 8 / 8.0),), input="x" * (n * 97 % 900)), place)
""",
}
HEAD = "import sys; from pathlib import Path; place = Path(sys.argv[1])"
TAIL = """
write(0); print("ready", flush=True)
for n in range(1, 1_000_000): write(n)
"""


def sound_is_whole(place: Path) -> None:
    assert sum(map(len, AudioReader(place / "out.flac").blocks())) == FRAMES


def words_are_whole(place: Path) -> None:
    own = load_personal(place / "words.json")
    assert own is not None
    assert len(own.words) >= 1


def state_is_whole(place: Path) -> None:
    said: list[str] = []
    assert recall(said.append, folder=place).is_found
    assert not said


@pytest.mark.parametrize(
    ("what", "is_whole", "kills"),
    [("render", sound_is_whole, 2), ("word", words_are_whole, 2), ("state", state_is_whole, 3)],
)
def test_killed_at_any_moment(
    tmp_path: Path, what: str, is_whole: Callable[[Path], None], kills: int
) -> None:
    write_float(tmp_path / "in.wav", noise(FRAMES))
    chance = random.Random(what)
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", HEAD + LOOPS[what] + TAIL, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _look in range(4):  # a reader beside the writer sees whole files, too
            is_whole(tmp_path)
        time.sleep(chance.uniform(0.0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        is_whole(tmp_path)
    # what the killed ones left goes with the next one that writes
    remember(Remembered(), tmp_path)
    assert not list(tmp_path.glob(".*semeq-part*"))


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """Return a folder with a sound in it."""
    write_float(tmp_path / "in.wav", noise(FRAMES))
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_no_room_for_words_and_state(tmp_path: Path) -> None:
    shipped = shipped_vocabulary()
    warm = shipped.words["warm"]
    word = make_word("own", warm.settings, warm.curve_db, 0.5, shipped)
    save_word(word, shipped, tmp_path / "words.json", overwrite=False)
    remember(Remembered((("warm", 0.5),)), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, old[1]))
    try:
        with pytest.raises(AudioFileError, match="file too large"):
            save_word(word, shipped, tmp_path / "words.json", overwrite=True)
        with pytest.raises(AudioFileError, match="file too large"):
            remember(Remembered((("warm", 0.9),)), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_renders_to_the_same_target(room: Path) -> None:
    """Eight at once: with leave to replace it is one of theirs, without one of them wins; all whole."""
    sound = noise(FRAMES)
    for at in range(4):
        write_float(room / f"in{at}.wav", (sound * (at + 1) / 8.0).astype(np.float32))
    lost: list[str] = []

    def render(at: int, overwrite: bool) -> None:
        job = RenderJob(room / f"in{at % 4}.wav", room / "out.wav", WARM, overwrite=overwrite)
        try:
            render_file(job)
        except AudioFileError as error:
            lost.append(str(error))

    for overwrite in (False, True):
        lost.clear()
        threads = [threading.Thread(target=render, args=(at, overwrite)) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(lost) == (0 if overwrite else 7)
        assert all("give --overwrite to replace it" in one for one in lost)
        (whole,) = AudioReader(room / "out.wav").blocks(FRAMES + 1)
        assert len(whole) == FRAMES
    names = sorted(os.listdir(room))
    assert names == ["in.wav", "in0.wav", "in1.wav", "in2.wav", "in3.wav", "out.wav"]
