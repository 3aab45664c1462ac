"""What is to be done with one sound file, as a value that goes to whoever does it."""

from dataclasses import dataclass, field
from pathlib import Path

from semeq.engine.design import DEFAULT_DESIGN
from semeq.engine.inserts import Insert
from semeq.engine.levels import CEILING_DB
from semeq.engine.plugin_map import PluginMap
from semeq.engine.render_adaptive import Adaption
from semeq.engine.settings import EQSettings
from semeq.engine.timeline import Take


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
    inserts : tuple of Insert
        Third-party plugins before and after the EQ.
    through : PluginMap, optional
        The plugin that is the EQ, instead of our filters.
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
    inserts: tuple[Insert, ...] = ()
    through: PluginMap | None = None
