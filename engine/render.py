"""One sound file through the equaliser: measured, levelled, limited if need be, moved into place.

Two passes, in blocks, so that three hours take no more memory than three seconds. The first runs the EQ and
measures both sides. What the EQ did to the loudness of *this* material is taken back by one gain, which the
second applies to the filtered sound (kept in a `Spool`, or filtered again) on the way to the output.

An EQ that follows the sound (`semeq.engine.render_adaptive`) is found in the first pass, and kept.

Inserts (`semeq.engine.inserts`) run before the EQ in the first pass, and after its levelling gain in a pass
of their own: what they do to the loudness is theirs, only what the EQ did is taken back.

The limiter is left out unless it is needed: when the true peak would rise above the ceiling *and* above
what it was in the input, or when samples would clip in an integer format. A loud master stays as loud as
it was. The look-ahead's delay is taken off: output and input line up, and are equally long.

A flat EQ passes samples bit for bit; where the container stays the same, the file itself is copied.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from semeq.engine.atomic import Replacement, explain
from semeq.engine.audiofile import BLOCK_FRAMES, AudioReader
from semeq.engine.audiowriter import encoding_for, open_writer
from semeq.engine.blocks import amplified, first_sound, metered, metered_as_sound, through
from semeq.engine.carry import carry_all
from semeq.engine.chain import Chain
from semeq.engine.design import design
from semeq.engine.errors import AudioFileError, SemeqError
from semeq.engine.inserts import Inserts, Place
from semeq.engine.levels import Meters, ceiling_for
from semeq.engine.path import BAD
from semeq.engine.render_adaptive import Mind
from semeq.engine.render_job import RenderJob
from semeq.engine.render_through import eq_for
from semeq.engine.report import Levels, Limiting, RenderReport, drift_lu
from semeq.engine.settings import EQSettings
from semeq.engine.spool import Spool
from semeq.engine.timeline import Take, align, replay, take_chain
from semeq.engine.units import Audio

__all__ = ["LOOKAHEAD_S", "MAX_DRIFT_LU", "Progress", "RenderJob", "render_file", "warm_up"]

LOOKAHEAD_S = 0.005
MAX_DRIFT_LU = 0.5
Progress = Callable[[float], None]
#: What yields a sound from its beginning each time it is called.
Blocks = Callable[[], Iterator[Audio]]
#: Levels before and after, the levelling gain in dB, and what the limiter did.
Done = tuple[Levels, Levels, float, Limiting | None]


class _Render:
    """One job on its way."""

    def __init__(self, job: RenderJob, progress: Progress | None, mind: Mind | None) -> None:
        self.job = job
        self.reader = AudioReader(job.source, keeps_damage=job.take is not None)
        self.fs, self.channels = self.reader.fs, self.reader.channels
        self.encoding = encoding_for(job.target, self.reader.source, self.fs, self.channels)
        self.eq = eq_for(job, mind, self.fs, self.channels)
        self.inserts = Inserts(job.inserts, self.fs, self.channels)
        self.warnings = list(job.notes)
        self.clipped = 0
        #: Whether the output is the input, byte for byte.
        self.is_copy = False
        self._progress = progress
        self._passes = 1
        self._told = 0

    def _meter(self) -> Meters:
        return Meters(self.fs, self.channels)

    def _tell(self, block: Audio) -> None:
        """Say how far we are."""
        self._told += len(block)
        expected = self.reader.source.frames
        if self._progress is not None and expected:
            self._progress(min(1.0, self._told / (expected * self._passes)))

    def _scan(self) -> Iterator[Audio]:
        """Yield the input for a pass that only looks at it."""
        for block in self.reader.blocks():
            yield block
            self._tell(block)

    def _write(self, new: Replacement, blocks: Iterable[Audio], *, changed: bool) -> None:
        """Encode `blocks` into the temporary file."""
        source_bits = {"int8": 8, "int16": 16}.get(self.reader.source.sample_format, 32)
        dither = changed or source_bits > self.encoding.bits
        shape = self.reader.source.frames, self.channels
        with open_writer(new.file, self.encoding, self.fs, shape, dither=dither) as writer:
            for block in blocks:
                writer.write(block)
                self._tell(block)
            self.clipped = writer.clipped

    def flat(self, new: Replacement) -> Done:
        """Pass everything: copy the file if it can stay as it is."""
        meters = self._meter()
        if self.reader.source.kind == self.encoding.kind:
            for block in self._scan():
                meters.feed(block)
            self.is_copy = not self.reader.bad_samples
            self._passes = 1 if self.is_copy else 2
        if self.is_copy:
            with self.job.source.open("rb") as original:
                shutil.copyfileobj(original, new.file, 1 << 20)
        else:
            meters = self._meter()
            self._write(new, metered(self.reader.blocks(), meters), changed=False)
        levels = meters.levels()
        return levels, levels, 0.0, None

    def equalised(self, new: Replacement) -> Done:
        """Measure, then render."""
        self._passes = 2 + self.eq.hears_first + self.inserts.has(Place.POST)
        if self.eq.hears_first:
            self.eq.hear(self.inserts.through(Place.PRE, self._scan()))
        meters = Meters(self.fs, self.channels, sides=2)
        arrived = self._meter() if self.inserts else None
        with Spool(new.path.parent, self.channels) as spool:
            scan = self._scan() if arrived is None else metered(self._scan(), arrived)
            for block, out in self.eq.filtered(self.inserts.through(Place.PRE, scan)):
                meters.feed(block, out)
                spool.write(out)
            gain_db = meters.levelling_gain_db()
            before, after = meters.levels(0), meters.levels(1, gain_db)

            def levelled() -> Iterator[Audio]:
                if spool.is_complete:
                    return amplified(spool.blocks(BLOCK_FRAMES), gain_db)
                again = self.inserts.through(Place.PRE, self.reader.blocks())
                return amplified(self.eq.again(again), gain_db)

            if arrived is not None:
                # the words are judged by what the EQ got and made, levels by what is in the files
                before = replace(arrived.levels(), balance=before.balance)
            if self.inserts.has(Place.POST):
                return self._through_post(new, levelled, before, after, gain_db)
            return self._finish(new, levelled, before, after, gain_db)

    def _through_post(
        self, new: Replacement, levelled: Blocks, before: Levels, after: Levels, gain_db: float
    ) -> Done:
        """Run the inserts behind the EQ, keep what they make, and finish that."""
        meter = self._meter()
        with Spool(new.path.parent, self.channels) as spool:
            for block in metered(self.inserts.through(Place.POST, levelled()), meter):
                spool.write(block)
                self._tell(block)

            def ended() -> Iterator[Audio]:
                if spool.is_complete:
                    return spool.blocks(BLOCK_FRAMES)
                return self.inserts.through(Place.POST, levelled())

            levels = replace(meter.levels(), balance=after.balance)
            return self._finish(new, ended, before, levels, gain_db)

    def _finish(
        self, new: Replacement, blocks: Blocks, before: Levels, after: Levels, gain_db: float
    ) -> Done:
        """Write what is finished, through the limiter if need be."""
        ceiling_db = ceiling_for(before, after, self.encoding, self.job.ceiling_db)
        if ceiling_db is None:
            self._write(new, blocks(), changed=True)
            return before, after, gain_db, None
        limiter = Chain(self.fs, self.channels, LOOKAHEAD_S, ceiling_db)
        limited = self._meter()
        self._write(new, metered(through(limiter, blocks()), limited), changed=True)
        limiting = Limiting(ceiling_db, limiter.latency_frames, limiter.limited_samples)
        judged = after.balance if self.inserts else limited.levels().balance
        return before, replace(limited.levels(), balance=judged), gain_db, limiting

    def replayed(self, new: Replacement, take: Take) -> Done:
        """Run the recorded session over the file."""
        job = self.job
        if (self.fs, self.channels) != (take.fs, take.channels):
            raise AudioFileError(
                f"{job.source} must have {take.channels} channels at {take.fs:g} Hz, as the recorded "
                f"session had, got {self.channels} at {self.fs:g} Hz"
            )
        self._passes = 2
        start = align(take, first_sound(self._scan()))
        self.warnings.extend(take.warnings)
        before, after = self._meter(), self._meter()
        chain = take_chain(take)
        source = metered_as_sound(self.reader.blocks(), before)
        blocks = replay(take, source, start=start, chain=chain)
        self._write(new, metered(blocks, after), changed=True)
        self.reader.bad_samples = int(chain.ints[BAD])
        return before.levels(), after.levels(), 0.0, None

    def finish_warnings(self, before: Levels, after: Levels) -> None:
        """Say what the listener should know."""
        self.warnings += [said for said in self.eq.warnings if said not in self.warnings]
        if self.encoding.note and not self.is_copy:
            self.warnings.append(self.encoding.note)
        bad = self.reader.bad_samples
        if bad and self.job.take is not None:
            self.warnings.append(f"{bad:,} damaged samples were bridged, as they were live")
        elif bad:
            said = f"{bad:,} damaged samples (not a number, or beyond ±10,000) became silence"
            self.warnings.append(said)
        if self.clipped:
            self.warnings.append(f"{self.clipped:,} samples beyond full scale were clipped")
        self.warnings += self.inserts.warnings
        drift = drift_lu(before, after)
        if self.inserts:
            return  # how loud they make it is theirs
        if self.job.take is None and drift is not None and abs(drift) > MAX_DRIFT_LU:
            self.warnings.append(
                f"the limiter made it {-drift:.1f} LU quieter than the input: ask for less"
            )


def warm_up() -> None:
    """Compile or load the kernels that a render needs."""
    block = np.zeros((64, 2), dtype=np.float32)
    design(EQSettings.flat(), 48_000.0)
    Meters(48_000.0, 2, sides=2).feed(block, Chain(48_000.0, 2, LOOKAHEAD_S, 0.0).process(block))


def render_file(
    job: RenderJob, progress: Progress | None = None, mind: Mind | None = None
) -> RenderReport:
    """Render one file.

    Parameters
    ----------
    job : RenderJob
        What to do.
    progress : callable, optional
        Called with the share that is done, in [0, 1].
    mind : Mind, optional
        What hears and designs for `RenderJob.adaption`.

    Returns
    -------
    RenderReport
        What was done; the target is in place.

    Raises
    ------
    AudioFileError
        If the input cannot be read or the output cannot be written; the target is as it was.
    """
    started = time.monotonic()
    with Replacement(
        job.target,
        overwrite=job.overwrite,
        inputs=(job.source, *job.protected),
        token=job.token,
    ) as new:
        render = _Render(job, progress, mind)
        try:
            if job.take is not None:
                before, after, gain_db, limiting = render.replayed(new, job.take)
            elif job.settings.is_flat and not job.inserts:
                before, after, gain_db, limiting = render.flat(new)
            else:
                before, after, gain_db, limiting = render.equalised(new)
            if not render.is_copy:
                new.file.flush()
                kinds = render.reader.source.kind, render.encoding.kind
                render.warnings += carry_all(job.source, new, *kinds)
        except SemeqError:
            raise
        except (OSError, ValueError, RuntimeError) as error:
            said = explain(error) if isinstance(error, OSError) else str(error)
            raise AudioFileError(f"{job.target} cannot be written: {said}") from None
        render.finish_warnings(before, after)
        new.commit()
    return RenderReport(
        source=str(job.source),
        target=str(job.target),
        fs=render.fs,
        channels=render.channels,
        frames=render.reader.frames_read,
        source_format=render.reader.source.codec or "decoded",
        target_format=render.encoding.kind + " " + render.encoding.sample_format,
        before=before,
        after=after,
        gain_db=gain_db,
        limiting=limiting,
        timeline=render.eq.timeline(gain_db),
        inserts=render.inserts.notes,
        through=render.eq.notes,
        adaption=render.eq.adapted,
        track=render.eq.whole_track() if job.keep_track else None,
        bad_samples=render.reader.bad_samples,
        clipped_samples=render.clipped,
        warnings=tuple(render.warnings),
        seconds=time.monotonic() - started,
    )
