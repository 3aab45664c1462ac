"""Analyses sound files: one thread decodes while another listens."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue
from threading import Event, Thread

from semeq.engine.analysis import analyse
from semeq.engine.analysis_types import Analysis, AnalysisConfig
from semeq.engine.audiofile import AudioReader
from semeq.engine.encoder import Model
from semeq.engine.units import Audio
from semeq.engine.words import Vocabulary

#: Blocks that may wait between decoding and listening, and their size.
_QUEUED, _BLOCK_FRAMES = 8, 65_536


def analyse_file(
    path: Path,
    model: Model,
    vocabulary: Vocabulary,
    config: AnalysisConfig | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Analysis:
    """Listen to a file from its start to its end; length costs next to no memory.

    Parameters
    ----------
    path : Path
        Whatever `semeq.engine.audiofile.AudioReader` reads.
    model, vocabulary, config
        See `semeq.engine.analysis.analyse`.
    on_progress : callable
        Called with the share of the file that is done, where its headers say how long it is.

    Raises
    ------
    AudioFileError
        If it cannot be read.
    SemeqError
        As `semeq.engine.analysis.analyse` does.
    """
    reader = AudioReader(path)
    total = reader.source.frames

    def watched() -> Iterator[Audio]:
        done = 0
        for block in ahead(reader.blocks(_BLOCK_FRAMES)):
            yield block
            done += len(block)
            if total:
                on_progress(min(done / total, 1.0))

    found = analyse(watched(), reader.fs, reader.channels, model, vocabulary, config)
    if not reader.bad_samples:
        return found
    bad = f"{reader.bad_samples:,} damaged samples (no numbers, or absurdly large) count as silence"
    return replace(found, warnings=(*found.warnings, bad))


def ahead(blocks: Iterable[Audio]) -> Iterator[Audio]:
    """Yield blocks that another thread takes from `blocks` meanwhile; its errors arrive here."""
    queue: Queue[Audio | BaseException | None] = Queue(_QUEUED)
    is_left = Event()

    def work() -> None:
        end: BaseException | None = None
        try:
            for block in blocks:
                if is_left.is_set():
                    return
                queue.put(block)
        except BaseException as error:
            end = error
        queue.put(end)

    thread = Thread(target=work, name="semeq-decoder", daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        is_left.set()
        while thread.is_alive():
            # It may be waiting for room.
            while not queue.empty():
                queue.get_nowait()
            thread.join(0.01)
