"""What a live session is started with."""

from dataclasses import dataclass
from pathlib import Path

from semeq.engine.design import DEFAULT_DESIGN
from semeq.realtime.control import ControlState
from semeq.realtime.hearing import DEAF, HearingConfig
from semeq.realtime.inserts import NO_INSERTS, InsertConfig
from semeq.realtime.stream import StreamConfig


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What a session is started with.

    Parameters
    ----------
    stream : StreamConfig
        Devices and formats.
    state : ControlState
        Where the knobs stand at the start.
    duration_s : float, optional
        When to end by itself.
    status, record_log, record_input : Path, optional
        Files to write.
    hearing : HearingConfig
        Whether and how the sound itself is heard.
    design : str
        How bands become filters, see `semeq.engine.design.DESIGNERS`.
    reopens : bool
        Whether a device that is lost is waited for; otherwise its loss ends the session.
    inserts : InsertConfig
        Plugins before and after the EQ.
    connects : bool
        Whether JACK wires our ports to the devices; otherwise somebody else does.
    guards_howl : bool
        Whether a howl through microphone and loudspeaker is ducked.
    """

    stream: StreamConfig
    state: ControlState
    duration_s: float | None = None
    status: Path | None = None
    record_log: Path | None = None
    record_input: Path | None = None
    hearing: HearingConfig = DEAF
    design: str = DEFAULT_DESIGN
    reopens: bool = True
    inserts: InsertConfig = NO_INSERTS
    connects: bool = True
    guards_howl: bool = True
