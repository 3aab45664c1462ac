"""Equaliser settings as the text that other programs load: Equalizer APO, AutoEq and Room EQ Wizard.

What was learned from the programs themselves
----------------------------------------------
- Equalizer APO: ``LSC`` and ``HSC`` with a Q are the cookbook's shelves around their centre; ``LS`` and
  ``HS`` with a Q move the frequency first. A frequency with exactly three decimals is read as thousands
  (``100.123`` is 100 kHz), so two are written.
- AutoEq's text is also read by PipeWire (``param_eq``), EasyEffects and many phones: no comments, the preamp
  on the first line, whole Hz, and at most six characters for a gain or a Q.
- Room EQ Wizard calls the cookbook's shelves with a Q ``LS Q`` and ``HS Q``.
"""

from collections.abc import Sequence

from semeq.engine.exports import Decimals, Demands, Portable
from semeq.engine.settings import Band, Kind

_APO_TYPES = {Kind.LOW_SHELF: "LSC", Kind.PEAK: "PK", Kind.HIGH_SHELF: "HSC"}
_REW_TYPES = {Kind.LOW_SHELF: "LS Q", Kind.PEAK: "PK", Kind.HIGH_SHELF: "HS Q"}

APO = Demands(Decimals(freq=2, gain=3, q=4))
AUTOEQ = Demands(Decimals(freq=0, gain=2, q=3))
REW = Demands(Decimals(freq=2, gain=2, q=3))


def one_line(text: str) -> str:
    """Return `text` as it may stand behind a comment sign: without line breaks and control characters.

    >>> one_line("a" + chr(10) + "  b")
    'a b'
    """
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())


def comment(about: Sequence[str]) -> str:
    """Return lines as ``#`` comments."""
    return "".join(f"# {one_line(line)}\n" for line in about)


def _line(number: int, band: Band, decimals: Decimals) -> str:
    return (
        f"Filter {number}: ON {_APO_TYPES[band.kind]} Fc {band.freq_hz:.{decimals.freq}f} Hz "
        f"Gain {band.gain_db:.{decimals.gain}f} dB Q {band.q:.{decimals.q}f}\n"
    )


def apo(eq: Portable, about: Sequence[str] = ()) -> str:
    """Return a configuration file of Equalizer APO, to be included from ``config.txt``."""
    lines = [_line(n, band, APO.decimals) for n, band in enumerate(eq.bands, 1)]
    return f"{comment(about)}Preamp: {eq.preamp_db:.2f} dB\n" + "".join(lines)


def autoeq(eq: Portable, about: Sequence[str] = ()) -> str:
    """Return AutoEq's ``ParametricEQ.txt``; it has no room for comments."""
    lines = [_line(n, band, AUTOEQ.decimals) for n, band in enumerate(eq.bands, 1)]
    return f"Preamp: {eq.preamp_db:.2f} dB\n" + "".join(lines)


def rew(eq: Portable, about: Sequence[str] = ()) -> str:
    """Return a filter settings file of Room EQ Wizard for its generic equaliser.

    The preamp stands in the notes: REW's filters have none.
    """
    notes = "; ".join([*map(one_line, about), f"preamp {eq.preamp_db:.2f} dB"])
    d = REW.decimals
    lines = [
        f"Filter {n:2d}: ON  {_REW_TYPES[band.kind]:<7}  Fc {band.freq_hz:8.{d.freq}f} Hz  "
        f"Gain {band.gain_db:6.{d.gain}f} dB  Q {band.q:6.{d.q}f}\n"
        for n, band in enumerate(eq.bands, 1)
    ]
    head = f"Filter Settings file\n\nRoom EQ V5.31\n\nNotes: {notes}\n\nEqualiser: Generic\n"
    return head + "".join(lines)
