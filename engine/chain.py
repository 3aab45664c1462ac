"""One audio path with its state, for Python: blocks in, blocks out."""

import numpy as np

from semeq.engine.design import ROW, SECTIONS, Coefficients
from semeq.engine.errors import SettingsError
from semeq.engine.limiter import LIMITED
from semeq.engine.path import (
    BAD,
    BAD_ABOVE,
    POSITION,
    chain_state,
    process,
    set_bypass,
    set_delta,
    set_gate,
    set_rows,
)
from semeq.engine.units import Audio


class Chain:
    """One audio path with its state: blocks in, blocks out.

    Parameters
    ----------
    fs : float
        Sample rate in Hz.
    channels : int
        1 to 8.
    lookahead_s : float
        Look-ahead of the true-peak limiter in seconds; 0 guards sample peaks without delay.
    ceiling_db : float, optional
        The limiter's ceiling in dBFS; None leaves it out altogether.
    bad_above : float
        Magnitude above which a sample is damage.

    Notes
    -----
    Not thread-safe: one owner. A new chain is flat: set its first target before the first block.

    Examples
    --------
    >>> chain = Chain(48000.0, 2)
    >>> chain.process(np.ones((4, 2), dtype=np.float32)).shape
    (4, 2)
    """

    def __init__(
        self,
        fs: float,
        channels: int,
        lookahead_s: float = 0.0,
        ceiling_db: float | None = None,
        bad_above: float = BAD_ABOVE,
    ) -> None:
        self.fs = fs
        self.channels = channels
        lookahead_frames = round(lookahead_s * fs) if ceiling_db is not None else 0
        self.state = chain_state(
            fs,
            channels,
            lookahead_frames=lookahead_frames,
            ceiling_db=ceiling_db,
            bad_above=bad_above,
        )
        self.latency_frames = lookahead_frames
        flat = np.zeros((SECTIONS, ROW))
        flat[:, 5] = 1.0
        set_rows(self.state, flat, 0)

    def set_target(
        self,
        coefficients: Coefficients,
        *,
        ramp_frames: int = 0,
        bypass: bool = False,
        delta: bool = False,
        fade_frames: int | None = None,
    ) -> None:
        """Head for `coefficients` from here, over `ramp_frames`; fade bypass and delta over `fade_frames`."""
        fade_frames = ramp_frames if fade_frames is None else fade_frames
        set_rows(self.state, np.array(coefficients.rows), ramp_frames)
        set_bypass(self.state, bypass, fade_frames)
        set_delta(self.state, delta and not bypass, fade_frames)

    def set_gate(self, is_open: bool, frames: int = 0) -> None:
        """Open or close the output over `frames`."""
        set_gate(self.state, 1.0 if is_open else 0.0, frames)

    def process(self, block: Audio, out: Audio | None = None) -> Audio:
        """Return `block`, shape ``(frames, channels)``, equalised; written to `out` if it is given."""
        block = np.ascontiguousarray(block, dtype=np.float32)
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise SettingsError(
                f"block must have shape (frames, {self.channels}), got {block.shape}"
            )
        if out is None:
            out = np.empty_like(block)
        process(self.state, block, out)
        return out

    @property
    def position(self) -> int:
        """Frames processed since the chain was made."""
        return int(self.state.ints[POSITION])

    @property
    def bad_samples(self) -> int:
        """Samples that were not numbers, infinite or absurdly large, and are not heard."""
        return int(self.state.ints[BAD])

    @property
    def limited_samples(self) -> int:
        """Frames at which the limiter reduced the gain."""
        return int(self.state.limiter_ints[LIMITED])
