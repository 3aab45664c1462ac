"""The story of a sound in words: what the encoder hears window by window, and what follows from it.

Scores are explained in `semeq.engine.analysis_words`; beside them stands a meter that knows nothing of the
encoder (`semeq.engine.analysis_meter`). Silence is what lies below `SILENCE_DBFS`, or `BELOW_MEAN_DB` below
the mean power of the whole: it is marked, and has no weight.
"""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from semeq.engine.analysis_meter import bands_at, meter
from semeq.engine.analysis_needs import needs
from semeq.engine.analysis_path import latent_path
from semeq.engine.analysis_sections import SHORTEST_S, describe_cells, find_sections
from semeq.engine.analysis_types import Analysis, AnalysisConfig, Part, Windows
from semeq.engine.analysis_windows import Cells, Stretch, WindowStream
from semeq.engine.analysis_words import curves_of, describe, fits, known_words, scores
from semeq.engine.design import MAX_FREQ_OF_FS
from semeq.engine.encoder import LATENT, Heard, Model
from semeq.engine.errors import SettingsError
from semeq.engine.frontend import BANDS
from semeq.engine.units import Audio, Floats, read_only
from semeq.engine.words import Vocabulary, Word

SILENCE_DBFS, BELOW_MEAN_DB = -90.0, 60.0


def analyse(
    blocks: Iterable[Audio],
    fs: float,
    channels: int,
    model: Model,
    vocabulary: Vocabulary,
    config: AnalysisConfig | None = None,
) -> Analysis:
    """Listen to a sound from its start to its end.

    Parameters
    ----------
    blocks : iterable of Audio
        Shape ``(frames, channels)`` each, of any sizes: the result is the same, bit for bit.
    fs : float
        Sample rate in Hz.
    channels : int
        From 1 on.
    model, vocabulary
        What hears, and what words mean.
    config : AnalysisConfig, optional
        Windows of 3 s each second if not given.

    Raises
    ------
    SettingsError
        If there is no sound, or its rate or channels cannot be used.
    UnknownWordError
        If nobody taught a word.
    RecipeError
        If the model does not know a word of a target.
    """
    config = config or AnalysisConfig()
    words, curves = curves_of(config.words, vocabulary)
    stream = WindowStream(fs, channels, config.window_s, config.hop_s)
    windows, cells = _listen(blocks, stream, model, curves)
    duration = stream.duration_s

    def part(start_s: float, end_s: float, whole: Part | None) -> Part:
        inside = _within(windows, start_s, end_s)
        return _part(windows, inside, (start_s, end_s), fs, words, curves, whole)

    overall = part(0.0, duration, None)
    spans, novelty = _spans(windows, cells, model, duration, fs)
    sections = tuple(part(start, end, overall) for start, end in spans)
    heard = [None if one.is_silent else one.heard for one in (overall, *sections)]
    freqs_hz = model.freqs_hz[model.freqs_hz <= MAX_FREQ_OF_FS * fs]
    known, known_curves = curves_of(known_words(vocabulary), vocabulary)
    return Analysis(
        fs=fs,
        channels=channels,
        duration_s=duration,
        config=config,
        words=words,
        freqs_hz=freqs_hz,
        windows=windows,
        novelty_db=read_only(novelty),
        overall=overall,
        sections=sections,
        ranking=()
        if overall.is_silent
        else fits(model.decode(overall.heard.z), known, known_curves),
        path=latent_path(model.decode(windows.z), windows.weights, known, known_curves),
        targets=tuple(
            needs(
                recipe,
                heard,
                model,
                vocabulary,
                fs=fs,
                freqs_hz=freqs_hz,
                adapt=config.adapt,
            )
            for recipe in config.targets
        ),
    )


def _listen(
    blocks: Iterable[Audio], stream: WindowStream, model: Model, curves: Floats
) -> tuple[Windows, Cells]:
    rows: list[tuple[float, float, float, Floats, Floats, Floats]] = []
    nothing = Heard(np.zeros(LATENT), np.zeros(BANDS))

    def hear(found: Iterable[Stretch]) -> None:
        for one in found:
            is_loud = one.energy > 10.0 ** (SILENCE_DBFS / 10.0)
            heard = model.hear_levels(one.levels) if is_loud else nothing
            power = np.mean(10.0 ** (one.levels.astype(np.float64) / 10.0), axis=0)
            rows.append((one.start_s, one.end_s, one.energy, heard.z, heard.spectrum_db, power))

    for block in blocks:
        hear(stream.feed(block))
    if stream.duration_s == 0.0:
        raise SettingsError("a sound must have one frame or more, got none")
    last, cells = stream.finish()
    hear(last)
    start, end, energy, z, spectrum, power = (
        read_only(np.array(column)) for column in zip(*rows, strict=True)
    )
    silent = _silent(energy, float(cells.energy.mean()))
    z = np.where(silent[:, None], 0.0, z)
    return Windows(
        start_s=start,
        end_s=end,
        energy=energy,
        is_silent=silent,
        z=read_only(z),
        spectrum_db=spectrum,
        power=power,
        scores=read_only(scores(model.decode(z), curves)),
        meter=meter(power, stream.fs),
    ), cells


def _silent(energy: Floats, mean: float) -> npt.NDArray[np.bool_]:
    gate = max(10.0 ** (SILENCE_DBFS / 10.0), mean * 10.0 ** (-BELOW_MEAN_DB / 10.0))
    return np.asarray(energy <= gate)


def _spans(
    windows: Windows, cells: Cells, model: Model, duration_s: float, fs: float
) -> tuple[list[tuple[float, float]], Floats]:
    """Return where the sections start and end, and the novelty at each hop."""
    count = len(cells.energy)
    # The window that lies around each cell.
    middle = 0.5 * (windows.start_s + windows.end_s)
    at = (np.arange(count) + 0.5) * cells.hop_s
    near = np.rint(np.interp(at, middle, np.arange(len(middle)))).astype(np.int64)
    features = describe_cells(cells.power, model.decode(windows.z)[near], bands_at(fs))
    silent = _silent(cells.energy, float(cells.energy.mean()))
    shortest = max(SHORTEST_S, windows.end_s[0] - windows.start_s[0])
    found, novelty = find_sections(features, silent, cells.hop_s, shortest)
    bounds = [*(first * cells.hop_s for first, _, _ in found), duration_s]
    return list(pairwise(bounds)), novelty


def _within(windows: Windows, start_s: float, end_s: float) -> npt.NDArray[np.bool_]:
    """Return which windows belong to a stretch: those inside, or else those with their middle in it."""
    slack = 1e-9
    inside = (windows.start_s >= start_s - slack) & (windows.end_s <= end_s + slack)
    middle = 0.5 * (windows.start_s + windows.end_s)
    if not inside.any():
        inside = (middle >= start_s) & (middle < end_s)
    if not inside.any():
        inside = np.arange(len(middle)) == np.argmin(np.abs(middle - 0.5 * (start_s + end_s)))
    return np.asarray(inside)


def _part(
    windows: Windows,
    inside: npt.NDArray[np.bool_],
    span: tuple[float, float],
    fs: float,
    words: tuple[Word, ...],
    curves: Floats,
    whole: Part | None,
) -> Part:
    """Return the energy-weighted mean of windows, in words; compared with the whole, if given."""
    weights = windows.weights[inside]
    energy = float(windows.energy[inside].mean())
    is_silent = not weights.any()
    share = np.full(len(weights), 1.0 / len(weights)) if is_silent else weights / weights.sum()
    spectrum = share @ 10.0 ** (windows.spectrum_db[inside] / 10.0)
    heard = Heard(
        read_only(share @ windows.z[inside]),
        read_only(10.0 * np.log10(np.maximum(spectrum, 1e-20))),
    )
    values = read_only(share @ windows.scores[inside])
    if is_silent:
        said = "silence"
    elif whole is None:
        said = describe(words, curves, values)
    else:
        louder_db = 10.0 * float(np.log10(energy / whole.energy))
        said = describe(words, curves, values, whole.scores, louder_db)
    return Part(
        start_s=span[0],
        end_s=span[1],
        energy=energy,
        is_silent=is_silent,
        heard=heard,
        scores=values,
        meter=meter(windows.power[inside].mean(axis=0), fs),
        description=said,
    )
