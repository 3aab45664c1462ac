"""The JSON of ``semeq curve``: seven bands and their response, for scripts; written and read back."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from semeq.engine.design import DEFAULT_DESIGN, MAX_FREQ_OF_FS, response_db
from semeq.engine.errors import DataError
from semeq.engine.settings import LAYOUT, Band, EQSettings
from semeq.engine.units import Floats

#: Points of the response, and where they end.
CURVE_POINTS, TOP_HZ = 241, 20_000.0


def curve_grid(fs: float) -> Floats:
    """Return rounded frequencies from 20 Hz to 20 kHz, or as far as the rate goes."""
    top = min(TOP_HZ, MAX_FREQ_OF_FS * fs)
    freqs: Floats = np.round(np.geomspace(20.0, top, CURVE_POINTS), 3)
    return freqs


def curve_content(
    recipe: str,
    amount: float,
    fs: float,
    settings: EQSettings,
    warnings: Sequence[str],
    *,
    design: str = DEFAULT_DESIGN,
) -> dict[str, Any]:
    """Return what ``semeq curve --json`` prints: the response is that of the filters as they run at `fs`."""
    freqs_hz = curve_grid(fs)
    return {
        "recipe": recipe,
        "amount": amount,
        "fs": fs,
        "design": design,
        "bands": settings.as_dicts(),
        "freqs_hz": freqs_hz.tolist(),
        "response_db": np.round(response_db(settings, fs, freqs_hz, design=design), 5).tolist(),
        "warnings": list(warnings),
    }


def read_bands(content: object, where: str) -> EQSettings:
    """Return the seven bands of a list as `EQSettings.as_dicts` makes it.

    Raises
    ------
    DataError
        If it is anything else; the message starts with `where`.
    """
    if not isinstance(content, list) or len(content) != len(LAYOUT):
        raise DataError(f"{where} must hold seven bands")
    try:
        return EQSettings(
            tuple(Band(b["kind"], b["freq_hz"], b["gain_db"], b["q"]) for b in content)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{where} must hold seven bands: {error}") from None
