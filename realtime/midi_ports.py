"""MIDI input ports: listed, chosen, and known again by name after a loss.

A port that went away is found again by its *name*; never is another taken in its place. Numbers that a
system puts into a name (ALSA's client number, a2jmidid's, Windows' index) change when a device is
plugged in again, so they are left out of the comparison; of two like devices only the one that was not
there before is taken for the one that has returned.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from semeq.engine.errors import DeviceError
from semeq.realtime.midi_backend import Backend, backends

#: The only port there is, through-ports left out.
AUTO = "auto"
_CHANGING = re.compile(r"\s*\[\d+\]|\s+\d+:\d+(?=\s|$|:)")
_WINDOWS_INDEX = re.compile(r"\s+\d+$")
_NOT_MEANT = re.compile(r"midi through|through port|^semeq", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PortInfo:
    """A port that can be read: its ``number`` in the whole list, name, and system."""

    number: int
    name: str
    api: str


def base_name(name: str, api: str = "") -> str:
    """Return a port's name without the numbers that change when it is plugged in again.

    >>> base_name("nanoKONTROL2:nanoKONTROL2 MIDI 1 28:0", "alsa")
    'nanoKONTROL2:nanoKONTROL2 MIDI 1'
    """
    if api == "winmm":
        return _WINDOWS_INDEX.sub("", name)
    return _CHANGING.sub("", name)


def find_again(name: str, ports: Sequence[str], twins: frozenset[str], api: str = "") -> int | None:
    """Return the number of the port that was called `name`, or None while it is not there.

    Parameters
    ----------
    name : str
        Its name when it was open.
    ports : sequence of str
        The names now.
    twins : frozenset of str
        Other ports that were there beside it under the same base name: they are not it.
    """
    if name in ports:
        return ports.index(name)
    alike = [
        number
        for number, port in enumerate(ports)
        if base_name(port, api) == base_name(name, api) and port not in twins
    ]
    return alike[0] if len(alike) == 1 else None


def choose(wanted: str, ports: Sequence[str], first_number: int = 0) -> int | None:
    """Return which of `ports` is meant, or None when none is.

    Parameters
    ----------
    wanted : str
        A number (of a list that begins at `first_number`), a whole name, a part of one, or ``auto``.

    Raises
    ------
    DeviceError
        If a name means more than one port.
    """
    if wanted.isdigit():
        number = int(wanted) - first_number
        return number if 0 <= number < len(ports) else None
    if wanted == AUTO:
        matches = [n for n, port in enumerate(ports) if not _NOT_MEANT.search(port)]
    else:
        part = wanted.casefold()
        matches = [n for n, port in enumerate(ports) if port.casefold() == part] or [
            n for n, port in enumerate(ports) if part in port.casefold()
        ]
    if len(matches) > 1:
        listed = ", ".join(repr(ports[n]) for n in matches)
        raise DeviceError(f"MIDI port {wanted!r} must mean one port, got {listed}: give more of it")
    return matches[0] if matches else None


def list_ports(systems: Sequence[Backend] | None = None) -> tuple[list[PortInfo], list[str]]:
    """Return all ports, numbered through all systems, and a line for each system that is not there."""
    found: list[PortInfo] = []
    missing: list[str] = []
    for backend in backends() if systems is None else systems:
        try:
            client = backend.connect()
        except DeviceError as error:
            missing.append(str(error))
            continue
        try:
            for name in client.ports():
                found.append(PortInfo(len(found), name, backend.name))
        except DeviceError as error:
            missing.append(str(error))
        finally:
            client.close()
    return found, missing
