"""The EQ of one render, whether it stands still or follows the sound, and what it was over time."""

from collections.abc import Iterable, Iterator
from typing import Any

from semeq.engine.blocks import through
from semeq.engine.chain import Chain
from semeq.engine.design import design
from semeq.engine.eq_track import EQTrack
from semeq.engine.render_adaptive import (
    NOTHING_HEARD,
    AdaptiveEQ,
    Look,
    Mind,
    as_notes,
)
from semeq.engine.render_job import RenderJob
from semeq.engine.render_whole import hear_whole, whole_settings
from semeq.engine.report import timeline_entry
from semeq.engine.units import Audio


class FileEQ:
    """Filters a file, twice if need be, with the same result.

    Parameters
    ----------
    job : RenderJob
        What is asked for.
    mind : Mind or None
        What hears and designs; without it nothing is heard.
    fs : float
        Sample rate in Hz.
    channels : int
        1 to 8.

    Attributes
    ----------
    adapted : dict or None
        How the sound had a say; None where it had none.
    warnings : list of str
        What came up on the way.
    """

    def __init__(self, job: RenderJob, mind: Mind | None, fs: float, channels: int) -> None:
        self._job, self._mind = job, mind
        self._fs, self._channels = fs, channels
        self._settings = job.settings
        self._follower: AdaptiveEQ | None = None
        self.adapted: dict[str, Any] | None = None
        self.warnings: list[str] = []
        adaption = job.adaption
        if adaption is not None and mind is not None and adaption.look is not Look.WHOLE:
            self._follower = AdaptiveEQ(adaption, mind, fs, channels, design=job.design)

    @property
    def notes(self) -> dict[str, Any] | None:
        """What did it, where that was no filter of ours."""
        return None

    @property
    def hears_first(self) -> bool:
        """Whether the whole file is to be heard before it is filtered."""
        adaption = self._job.adaption
        return adaption is not None and self._mind is not None and adaption.look is Look.WHOLE

    def hear(self, blocks: Iterable[Audio]) -> None:
        """Hear the whole file and find its one EQ."""
        adaption, mind = self._job.adaption, self._mind
        if adaption is None or mind is None:
            return
        overall = hear_whole(adaption, mind, self._fs, self._channels, blocks)
        made = whole_settings(adaption, mind, self._fs, overall.heard)
        self._settings = made.settings
        self._note(overall.heard_share, made.warnings, moves=0)

    def _note(self, heard_share: float, warnings: tuple[str, ...], moves: int) -> None:
        assert self._job.adaption is not None
        self.adapted = as_notes(self._job.adaption, heard_share, moves)
        nothing = () if heard_share else (NOTHING_HEARD,)
        self.warnings = [*nothing, *warnings]

    def _chain(self) -> Chain:
        chain = Chain(self._fs, self._channels)
        chain.set_target(design(self._settings, self._fs, design=self._job.design))
        return chain

    def filtered(self, blocks: Iterable[Audio]) -> Iterator[tuple[Audio, Audio]]:
        """Yield each block and what becomes of it."""
        follower = self._follower
        if follower is None:
            chain = self._chain()
            for block in blocks:
                yield block, chain.process(block)
            return
        yield from follower.filtered(blocks)
        self._note(follower.heard_share, follower.warnings, len(follower.track) - 1)

    def again(self, blocks: Iterable[Audio]) -> Iterator[Audio]:
        """Yield what became of the blocks, once more."""
        if self._follower is None:
            return through(self._chain(), blocks)
        return self._follower.again(blocks)

    def whole_track(self) -> EQTrack:
        """Return the EQ over time, also where it stands still."""
        if self._follower is not None and self.adapted is not None:
            return self._follower.track
        track = EQTrack(self._fs, 0)
        track.append(0, self._settings, 0.0)
        return track

    def timeline(self, gain_db: float) -> tuple[dict[str, Any], ...]:
        """Return what the EQ was, and when; `gain_db` is that of the whole file."""
        take = self._job.take
        if take is None:
            track = self.whole_track()
            return tuple(
                timeline_entry(
                    track.frame(index) / self._fs,
                    track.settings(index),
                    gain_db + track.gain_db(index),
                )
                for index in track.thinned()
            )
        return tuple(
            {
                "t_s": event.frame / take.fs,
                "ramp_s": event.control.ramp_frames / take.fs,
                "bypass": event.control.bypass,
                **event.notes,
            }
            for event in take.events
        )
