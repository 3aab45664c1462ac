"""The options of ``semeq render`` that put third-party plugins before, after, or in place of the EQ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from semeq.engine.errors import UsageError

if TYPE_CHECKING:
    from semeq.engine.inserts import Insert
    from semeq.engine.plugin_map import PluginMap

Command = TypeVar("Command", bound=Callable[..., Any])

KEY = "semeq.presets.insert_options"


def _remember(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
    """Keep a value for `plugins_of`: the commands that have these options need not list them."""
    ctx.meta.setdefault(KEY, {})[parameter.name] = value


#: An option whose value `plugins_of` and the like read.
option = partial(click.option, expose_value=False, callback=_remember)
OPTIONS = (
    option(
        "--insert",
        "inserts",
        multiple=True,
        metavar="pre|post:PATH",
        help="Run a VST3 (or Audio Unit) plugin before or after the EQ; may be given more than once. "
        "PATH#NAME says which one of several in a file.",
    ),
    option(
        "--set",
        "settings",
        multiple=True,
        metavar="PLUGIN.PARAMETER=VALUE",
        help="Set a parameter of an insert, in its unit: 'comp.threshold_db=-18'. PLUGIN is its file's "
        "name without suffix, or its number among the inserts: '1.mix=50'.",
    ),
    option(
        "--state",
        "states",
        multiple=True,
        metavar="PLUGIN=FILE",
        help="Restore an insert from what --save-state wrote, or from a .vstpreset; --set comes after.",
    ),
    option(
        "--save-state",
        "saves",
        multiple=True,
        metavar="PLUGIN=FILE",
        help="Write an insert's state, as it is for the render.",
    ),
    option(
        "--through",
        metavar="MAP.toml",
        type=click.Path(path_type=Path),
        help="Turn the knobs of an equaliser plugin instead of using our filters, as the map says "
        "('semeq plugin map' makes one); one EQ for the whole file.",
    ),
)


def insert_options(command: Command) -> Command:
    """Give a command the options of this module; `plugins_of` reads them all."""
    for add in reversed(OPTIONS):
        command = add(command)
    return command


def saves_of(texts: Sequence[str], inserts: "Sequence[Insert]") -> dict[int, Path]:
    """Return where the states of inserts are to be written, by index.

    Raises
    ------
    UsageError
        If one cannot be understood.
    """
    files: dict[int, Path] = {}
    for text in texts:
        key, sign, file = text.partition("=")
        if not sign or not file:
            raise UsageError(f"--save-state must be PLUGIN=FILE, got {text!r}")
        files[_which(key, inserts, "--save-state")] = Path(file)
    return files


def _which(key: str, inserts: "Sequence[Insert]", option: str) -> int:
    """Return the index of the insert that `key` means."""
    from semeq.engine.plugin_host import split_name

    if key.isdecimal() and 1 <= int(key) <= len(inserts):
        return int(key) - 1
    stems = [split_name(insert.path)[0].stem.casefold() for insert in inserts]
    found = [at for at, stem in enumerate(stems) if stem == key.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = " or ".join(str(at + 1) for at in found)
        raise UsageError(f"{option}: {key!r} is more than one insert: say {numbers}")
    known = ", ".join(f"{at + 1} ({stem})" for at, stem in enumerate(stems)) or "none"
    raise UsageError(f"{option} must name an insert, got {key!r}: there are {known}")


def parameter_of(target: str, inserts: "Sequence[Insert]", option: str) -> tuple[int, str]:
    """Return the index of the insert and the name of the parameter that ``comp.threshold_db`` means.

    Raises
    ------
    UsageError
        If it names no insert, or more than one.
    """
    # names of files and of parameters may hold dots: the first split that names an insert is meant
    dots = [at for at, letter in enumerate(target) if letter == "."]
    for dot in dots:
        try:
            return _which(target[:dot], inserts, option), target[dot + 1 :]
        except UsageError:
            if dot == dots[-1]:
                raise
    raise UsageError(f"{option} must name PLUGIN.PARAMETER, got {target!r}")


def _split_setting(text: str, inserts: "Sequence[Insert]") -> tuple[int, str, str]:
    """Return which insert, which parameter and what value a ``--set`` means."""
    target, sign, value = text.partition("=")
    if not sign or "." not in target:
        raise UsageError(f"--set must be PLUGIN.PARAMETER=VALUE, got {text!r}")
    return *parameter_of(target, inserts, "--set"), value


def read_inserts(
    texts: Sequence[str], settings: Sequence[str], states: Sequence[str]
) -> "tuple[Insert, ...]":
    """Return the inserts that the options ask for.

    Raises
    ------
    UsageError
        If one cannot be understood.
    DataError
        If a state file is no such file.
    """
    if not texts and not settings and not states:
        return ()
    from semeq.engine.inserts import Insert, Place
    from semeq.engine.plugin_state import read_state

    inserts: list[Insert] = []
    for text in texts:
        place, colon, path = text.partition(":")
        if not colon or place not in (Place.PRE, Place.POST) or not path:
            raise UsageError(f"--insert must be pre:PATH or post:PATH, got {text!r}")
        inserts.append(Insert(Path(path).expanduser().absolute(), Place(place)))
    for text in states:
        key, sign, file = text.partition("=")
        if not sign:
            raise UsageError(f"--state must be PLUGIN=FILE, got {text!r}")
        at = _which(key, inserts, "--state")
        inserts[at] = replace(inserts[at], state=read_state(Path(file)))
    for text in settings:
        at, name, value = _split_setting(text, inserts)
        inserts[at] = replace(inserts[at], values=(*inserts[at].values, (name, value)))
    return tuple(inserts)


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plugins of a call: inserts, and the map of the one that is the EQ."""

    inserts: "tuple[Insert, ...]" = ()
    through: "PluginMap | None" = None
    files: tuple[Path, ...] = ()


def plugins_of(ctx: click.Context, sources: Sequence[Path], look: str) -> tuple[Plugins, str]:
    """Return the plugins that a command's options ask for, each tried, and what to know of a file.

    Parameters
    ----------
    ctx : click.Context
        The command's.
    sources : sequence of Path
        Files that are not to be replaced.
    look : str
        What the EQ is to know of a file.

    Raises
    ------
    UsageError
        If the options contradict each other.
    SemeqError
        If a plugin cannot be loaded, set or restored.
    """
    given: dict[str, Any] = ctx.meta[KEY]
    inserts = read_inserts(given["inserts"], given["settings"], given["states"])
    path = given["through"]
    if (inserts or path is not None) and ctx.params.get("replay") is not None:
        option = "--insert" if inserts else "--through"
        raise UsageError(f"{option} must not be given with --replay: it renders what was recorded")
    through = None
    if path is not None:
        if look != "whole" and ctx.get_parameter_source("look") is ParameterSource.COMMANDLINE:
            raise UsageError(f"--through must be given with --look whole, got {look}")
        look, through = "whole", _tried_map(path)
    tried(inserts, given["saves"], sources)
    files = [insert.state.file for insert in inserts if insert.state is not None]
    return Plugins(inserts, through, (*files, *(() if path is None else (path,)))), look


def _tried_map(path: Path) -> "PluginMap":
    from semeq.engine.inserts import opened
    from semeq.engine.plugin_knobs import knobs_of
    from semeq.engine.plugin_map import read_map, turned_by

    found = read_map(path)
    insert = turned_by(found)
    with opened(insert, 48_000.0, None) as guest:
        knobs_of(guest, found)
    return found


def tried(inserts: "Sequence[Insert]", saves: Sequence[str], inputs: Sequence[Path]) -> None:
    """Load and set every insert once, before any file is touched; write the states that are asked for.

    Raises
    ------
    PluginError, SettingsError, DataError
        If one cannot be loaded, set or restored.
    """
    files = saves_of(saves, inserts)
    if not inserts:
        return
    from semeq.engine.inserts import opened
    from semeq.engine.plugin_state import save_state

    for at, insert in enumerate(inserts):
        with opened(insert, 48_000.0, None) as guest:
            if at in files:
                save_state(guest, files[at], inputs=inputs)
