"""One sound file through the equaliser: measured, levelled, limited if need be, moved into place.

Two passes, in blocks, so that three hours take no more memory than three seconds. The first runs the EQ and
measures both sides. What the EQ did to the loudness of *this* material is taken back by one gain, which the
second applies to the filtered sound (kept in a `Spool`, or filtered again) on the way to the output.

An EQ that follows the sound (`semeq.engine.render_adaptive`) is found in the first pass, and kept.

The limiter is left out unless it is needed: when the true peak would rise above the ceiling *and* above
what it was in the input, or when samples would clip in an integer format. A loud master stays as loud as
it was. The look-ahead's delay is taken off: output and input line up, and are equally long.

A flat EQ passes samples bit for bit; where the container stays the same, the file itself is copied.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from semeq.engine.atomic import Replacement, explain
from semeq.engine.audiofile import BLOCK_FRAMES, AudioReader
from semeq.engine.audiowriter import encoding_for, open_writer
from semeq.engine.blocks import amplified, first_sound, metered, through
from semeq.engine.chain import Chain
from semeq.engine.chunks import carry_chunks
from semeq.engine.design import DEFAULT_DESIGN, design
from semeq.engine.eq_track import EQTrack
from semeq.engine.errors import AudioFileError, SemeqError
from semeq.engine.levels import CEILING_DB, Meters, ceiling_for
from semeq.engine.render_adaptive import (
    NOTHING_HEARD,
    Adaption,
    AdaptiveEQ,
    Look,
    Mind,
    as_notes,
    hear_whole,
    whole_settings,
)
from semeq.engine.report import Levels, Limiting, RenderReport, drift_lu, timeline_entry
from semeq.engine.settings import EQSettings
from semeq.engine.spool import Spool
from semeq.engine.timeline import Take, align, replay
from semeq.engine.units import Audio

LOOKAHEAD_S = 0.005
MAX_DRIFT_LU = 0.5
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class RenderJob:
    """One file to render.

    Parameters
    ----------
    source, target : Path
        The input, and where the output goes; its suffix says the container.
    settings : EQSettings
        The seven bands; not used with `take`; with `adaption` what they are before anything is heard.
    overwrite : bool
        Whether an existing target may be replaced.
    protected : tuple of Path
        Files besides `source` that are not replaced in any case.
    ceiling_db : float
        True peak in dBTP that the output may reach even if the input did not.
    take : Take, optional
        A recorded session to run instead of `settings`, without levelling or a limiter of ours.
    adaption : Adaption, optional
        How the bands follow the sound; flat `settings` stay flat whatever is heard.
    keep_track : bool
        Whether the report holds the EQ window by window, for `semeq.engine.automation`.
    notes : tuple of str
        Warnings about the request, for the report.
    token : str, optional
        Part of the temporary file's name.
    design : str
        How bands become filters, see `semeq.engine.design.DESIGNERS`.
    """

    source: Path
    target: Path
    settings: EQSettings = field(default_factory=EQSettings.flat)
    overwrite: bool = False
    protected: tuple[Path, ...] = ()
    ceiling_db: float = CEILING_DB
    take: Take | None = None
    adaption: Adaption | None = None
    keep_track: bool = False
    notes: tuple[str, ...] = ()
    token: str | None = None
    design: str = DEFAULT_DESIGN


class _Render:
    """One job on its way."""

    def __init__(self, job: RenderJob, progress: Progress | None, mind: Mind | None) -> None:
        self.job = job
        self.settings = job.settings
        self._mind = mind
        #: The EQ over time, and how it came about, where it follows the sound.
        self.track: EQTrack | None = None
        self.adapted: dict[str, Any] | None = None
        self.reader = AudioReader(job.source)
        self.fs, self.channels = self.reader.fs, self.reader.channels
        self.encoding = encoding_for(job.target, self.reader.source, self.fs, self.channels)
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

    def flat(self, new: Replacement) -> tuple[Levels, Levels, float, Limiting | None]:
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

    def equalised(self, new: Replacement) -> tuple[Levels, Levels, float, Limiting | None]:
        """Measure, then render."""
        self._passes = 2
        follower = self._follower()
        meters = Meters(self.fs, self.channels, sides=2)
        with Spool(new.path.parent, self.channels) as spool:
            for block, out in self._equalise(follower):
                meters.feed(block, out)
                spool.write(out)
            gain_db = meters.levelling_gain_db()
            before, after = meters.levels(0), meters.levels(1, gain_db)
            filtered = spool.blocks(BLOCK_FRAMES) if spool.is_complete else None
            if filtered is None:
                filtered = self._equalise_again(follower)
            blocks = amplified(filtered, gain_db)
            ceiling_db = ceiling_for(before, after, self.encoding, self.job.ceiling_db)
            if ceiling_db is None:
                self._write(new, blocks, changed=True)
                return before, after, gain_db, None
            limiter = Chain(self.fs, self.channels, LOOKAHEAD_S, ceiling_db)
            limited = self._meter()
            self._write(new, metered(through(limiter, blocks), limited), changed=True)
            limiting = Limiting(ceiling_db, limiter.latency_frames, limiter.limited_samples)
            return before, limited.levels(), gain_db, limiting

    def _chain(self) -> Chain:
        chain = Chain(self.fs, self.channels)
        chain.set_target(design(self.settings, self.fs, design=self.job.design))
        return chain

    def _follower(self) -> AdaptiveEQ | None:
        """Return what follows the sound; where the whole file makes one EQ, hear it first."""
        adaption, mind = self.job.adaption, self._mind
        if adaption is None or mind is None:
            return None
        if adaption.look is not Look.WHOLE:
            return AdaptiveEQ(adaption, mind, self.fs, self.channels, design=self.job.design)
        self._passes = 3
        overall = hear_whole(adaption, mind, self.fs, self.channels, self._scan())
        made = whole_settings(adaption, mind, self.fs, overall.heard)
        self.settings = made.settings
        self._adapted(overall.heard_share, made.warnings, moves=0)
        return None

    def _adapted(self, heard_share: float, warnings: tuple[str, ...], moves: int) -> None:
        assert self.job.adaption is not None
        self.adapted = as_notes(self.job.adaption, heard_share, moves)
        if heard_share == 0.0:
            self.warnings.append(NOTHING_HEARD)
        self.warnings += [warning for warning in warnings if warning not in self.warnings]

    def _equalise(self, follower: AdaptiveEQ | None) -> Iterator[tuple[Audio, Audio]]:
        """Yield each block of the input and what becomes of it."""
        if follower is None:
            chain = self._chain()
            for block in self._scan():
                yield block, chain.process(block)
            return
        yield from follower.filtered(self._scan())
        self.track = follower.track
        self._adapted(follower.heard_share, follower.warnings, len(follower.track) - 1)

    def _equalise_again(self, follower: AdaptiveEQ | None) -> Iterator[Audio]:
        """Yield the same output once more."""
        if follower is None:
            return through(self._chain(), self.reader.blocks())
        return follower.again(self.reader.blocks())

    def replayed(
        self, new: Replacement, take: Take
    ) -> tuple[Levels, Levels, float, Limiting | None]:
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
        blocks = replay(take, metered(self.reader.blocks(), before), start=start)
        self._write(new, metered(blocks, after), changed=True)
        return before.levels(), after.levels(), 0.0, None

    def carry_tags(self, new: Replacement) -> list[str]:
        """Copy what is not sound into the finished output; return warnings."""
        source, kind = self.reader.source.kind, self.encoding.kind
        if source == kind and kind in ("wav", "aiff"):
            with self.job.source.open("rb") as theirs:
                return carry_chunks(theirs, new.file, kind)
        # only here: mutagen takes a while to load
        from semeq.engine.tags import carry_tags

        return carry_tags(self.job.source, source, new.path, kind)

    def whole_track(self) -> EQTrack:
        """Return the EQ over time, also where it stands still."""
        if self.track is not None:
            return self.track
        track = EQTrack(self.fs, 0)
        track.append(0, self.settings, 0.0)
        return track

    def timeline(self, gain_db: float) -> tuple[dict[str, Any], ...]:
        """Return what the EQ was, and when."""
        take, track = self.job.take, self.track
        if track is not None:
            return tuple(
                timeline_entry(
                    track.frame(index) / self.fs,
                    track.settings(index),
                    gain_db + track.gain_db(index),
                )
                for index in track.thinned()
            )
        if take is None:
            return (timeline_entry(0.0, self.settings, gain_db),)
        return tuple(
            {
                "t_s": event.frame / take.fs,
                "ramp_s": event.control.ramp_frames / take.fs,
                "bypass": event.control.bypass,
                **event.notes,
            }
            for event in take.events
        )

    def finish_warnings(self, before: Levels, after: Levels) -> None:
        """Say what the listener should know."""
        if self.encoding.note and not self.is_copy:
            self.warnings.append(self.encoding.note)
        bad = self.reader.bad_samples
        if bad:
            self.warnings.append(
                f"{bad:,} damaged samples (not a number, or beyond ±10,000) became silence"
            )
        if self.clipped:
            self.warnings.append(f"{self.clipped:,} samples beyond full scale were clipped")
        drift = drift_lu(before, after)
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
            elif job.settings.is_flat:
                before, after, gain_db, limiting = render.flat(new)
            else:
                before, after, gain_db, limiting = render.equalised(new)
            if not render.is_copy:
                new.file.flush()
                render.warnings += render.carry_tags(new)
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
        timeline=render.timeline(gain_db),
        adaption=render.adapted,
        track=render.whole_track() if job.keep_track else None,
        bad_samples=render.reader.bad_samples,
        clipped_samples=render.clipped,
        warnings=tuple(render.warnings),
        seconds=time.monotonic() - started,
    )
