"""Each part of the protocol for one method at one seed, as plain values for JSON.

What the figures mean is said where they are computed: `semeq.training.metrics`, `semeq.training.measures`,
`semeq.training.people`, `semeq.training.timbral`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from semeq.training.bootstrap import Estimate
from semeq.training.clips import Clips, apply_curve
from semeq.training.degrade import PRE_TILTS_DB
from semeq.training.judges import BAND_JUDGES
from semeq.training.measures import (
    BLENDS,
    adaptivity,
    at_strength,
    blend_monotone,
    distribution_place,
    effect_db,
    explained,
    level_change_db,
    loudness_matched_effect_db,
    monotone,
    movement_db,
    rms_of,
    spearman,
)
from semeq.training.methods import (
    BatchMethod,
    Blender,
    Detector,
    Method,
    SelfScorer,
    known_words,
)
from semeq.training.metrics import Trial, Triple, applied_tilts, spreads
from semeq.training.people import LEAST_HELD, Fold, human_score, likest
from semeq.training.spectra import to_bands
from semeq.training.timbral import TIMBRAL_JUDGES, timbral_scores
from semeq.training.words import GRID_HZ

Figures = dict[str, Any]

WORDS = tuple(BAND_JUDGES)
STRENGTHS_DB = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0)
#: Clips that slow measures look at: level, and timbral models.
LEVEL_CLIPS = 8
#: Seconds of a clip that a timbral model hears.
TIMBRAL_S = 3.0
SCATTER_POINTS = 400
#: SocialEQ's words on which people agree this much have a curve to be close to.
AGREED = 0.3


def figure(found: Estimate) -> Figures:
    """Return an estimate as JSON has it."""
    return {"value": found.value, "low": found.low, "high": found.high}


def _figures(found: Mapping[str, Estimate]) -> Figures:
    return {name: figure(one) for name, one in found.items()}


def triple_part(method: BatchMethod, trial: Trial) -> Figures:
    """M1, the spread of M3, and M4."""
    return triple_figures(trial.triple(method))


def triple_figures(found: Triple) -> Figures:
    """Return a triple as JSON has it."""
    return {
        "direction": figure(found.direction),
        "spread": figure(found.spread),
        "restoration": figure(found.restoration),
        "direction_by_word": _figures(found.direction_by_word),
        "spread_by_word": _figures(found.spread_by_word),
        "restoration_by_line": _figures(found.restoration_by_line),
        "best_amounts": dict(found.best_amounts),
    }


def effect_part(method: BatchMethod, trial: Trial, words: Sequence[str]) -> Figures:
    """M2: effect at equal strength, at equal loudness, and over strength for the figure."""
    result: Figures = {}
    power = trial.plain.power
    for word in words:
        curves = method.curves_db(word, 1.0, trial.plain)
        valid = BAND_JUDGES[word].can_judge(power)
        scaled = at_strength(curves)
        over = [effect_db(word, at_strength(curves, s), power) for s in STRENGTHS_DB]
        result[word] = {
            "equal_strength": figure(trial.mean(effect_db(word, scaled, power), valid)),
            "equal_loudness": figure(
                trial.mean(loudness_matched_effect_db(word, scaled, power), valid)
            ),
            "rms_db": float(rms_of(curves).mean()),
            "over_strength": [float((row * valid).sum() / valid.sum()) for row in over],
        }
    return result


def adaptivity_part(method: BatchMethod, trial: Trial, words: Sequence[str]) -> Figures:
    """M3: rank correlation of what was there and what is done, and final tilts for the figure."""
    applied = applied_tilts(method, trial.tilted, words)
    rho = adaptivity(applied, PRE_TILTS_DB)
    spread = spreads(applied)
    return {
        "spearman": figure(trial.mean(rho.mean(axis=1))),
        "spearman_by_word": {w: figure(trial.mean(rho[:, k])) for k, w in enumerate(words)},
        "spread": float(spread.mean()),
        "pre_tilts_db": list(PRE_TILTS_DB),
        "applied_db_per_octave": {
            w: applied[:, :, k].mean(axis=0).tolist() for k, w in enumerate(words)
        },
    }


def people_part(
    method: BatchMethod, trial: Trial, fold: Fold, agreed: Sequence[str]
) -> tuple[Figures, Figures]:
    """M5 and M6: closeness to held-out people, and the place of the outputs' distribution."""
    result: Figures = {}
    curves_of: Figures = {}
    for word in known_words(method, sorted({*agreed, *WORDS})):
        held, train = fold.held.get(word), fold.train.get(word)
        if held is None or train is None or len(held) < LEAST_HELD:
            continue
        curves = method.curves_db(word, 1.0, trial.plain)
        score = human_score(curves, held)
        result[word] = {
            "r": figure(trial.mean(score.r)),
            "percentile": figure(trial.mean(score.percentile)),
            "median_person": score.median_person,
            "people": score.people,
            "agreed": word in agreed,
            "distribution": distribution_place(curves, held, train, trial.plain.power),
        }
        curves_of[word] = {
            "method": curves.mean(axis=0).tolist(),
            "method_sd": curves.std(axis=0).tolist(),
            "people": held.mean(axis=0).tolist(),
            "people_sd": held.std(axis=0).tolist(),
        }
    rs = [row["r"]["value"] for row in result.values() if row["agreed"]]
    summary = {
        "words": result,
        "median_r_of_agreed": float(np.median(rs)) if rs else None,
        "percentile": float(np.mean([row["percentile"]["value"] for row in result.values()]))
        if result
        else None,
    }
    return summary, curves_of


def likeness_part(
    method: BatchMethod, trial: Trial, fold: Fold, words: Sequence[str]
) -> list[list[float]]:
    """Confusion by people: rows the word asked for, columns the word whose people drew the likest curve."""
    rows = (likest(fold, words, method.curves_db(word, 1.0, trial.plain)) for word in words)
    return [row.tolist() for row in rows]


def blend_part(
    method: Method | BatchMethod, batch: BatchMethod, trial: Trial, words: Sequence[str]
) -> Figures:
    """M7: the score rises with the amount, alone and in blends; nothing happens at 0."""
    rho, flat = [], 0.0
    for word in words:
        one, gain = monotone(batch, word, trial.plain)
        rho.append(one)
        flat = max(flat, gain)
    result: Figures = {
        "spearman": figure(trial.mean(np.mean(rho, axis=0))),
        "spearman_by_word": {w: float(row.mean()) for w, row in zip(words, rho, strict=True)},
        "gain_at_zero_db": flat,
        "blends": {},
    }
    if isinstance(method, Blender):
        for turned, other in BLENDS:
            if len(known_words(method, (turned, other))) == 2:
                found = blend_monotone(method, turned, other, trial.plain)
                result["blends"][f"{turned} + 0.5 {other}"] = figure(trial.mean(found))
    return result


def stability_part(
    method: Method | BatchMethod, batch: BatchMethod, trial: Trial, words: Sequence[str]
) -> Figures:
    """M8: level and time must not matter much."""
    level = 0.0
    if isinstance(method, Method) and trial.spectra.root:
        # Spread over the recordings, not the first eight crops of one.
        at = np.linspace(0, len(trial.spectra) - 1, LEVEL_CLIPS).astype(int)
        some = Clips(trial.spectra, np.unique(at))
        for word in words[:2]:
            level = max(level, float(level_change_db(method, word, some, LEVEL_CLIPS).max()))
    moved = [
        movement_db(batch.curves_db(word, 1.0, trial.plain), trial.spectra.files).mean()
        for word in words
        if len(set(trial.spectra.files)) < len(trial.spectra)
    ]
    return {
        "worst_level_change_db": level,
        "movement_between_crops_db": float(np.mean(moved)) if moved else 0.0,
    }


def own_score_part(
    method: SelfScorer, batch: BatchMethod, trial: Trial, words: Sequence[str]
) -> Figures:
    """Rank correlation of the method's own score with the judges', and points for the scatter."""
    own, judged = [], []
    for word in words:
        curves = batch.curves_db(word, 1.0, trial.plain)
        after = Clips(trial.spectra, trial.plain.index, to_bands(curves))
        own.append(method.own_scores(word, after) - method.own_scores(word, trial.plain))
        judged.append(effect_db(word, curves, trial.plain.power))
    a, b = np.array(own), np.array(judged)
    flat_a, flat_b = a.ravel(), b.ravel()
    every = max(1, len(flat_a) // SCATTER_POINTS)
    return {
        "spearman": float(spearman(flat_a, flat_b)),
        "spearman_within_words": float(spearman(a, b).mean()),
        "share_up": float((a > 0.0).mean()),
        "points": [
            [float(x), float(y)] for x, y in zip(flat_a[::every], flat_b[::every], strict=True)
        ],
    }


def explained_part(method: Detector, trial: Trial, fold: Fold) -> float:
    """R² of curves of random held-out people (as strong as they drew them) that were put on the clips."""
    rng = np.random.default_rng([trial.seed, 77])
    rows = np.concatenate([fold.held[word] for word in sorted(fold.held)])
    drawn = rows[rng.integers(len(rows), size=len(trial.plain))]
    clips = Clips(trial.spectra, trial.plain.index, to_bands(drawn))
    return explained(method.put_on_db(clips), drawn)


def timbral_part(batch: BatchMethod, trial: Trial, words: Sequence[str], count: int) -> Figures:
    """Change of the timbral models' scores at equal strength, level matched."""
    at = np.linspace(0, len(trial.spectra) - 1, count).astype(int)
    some = Clips(trial.spectra, np.unique(at))
    sounds = [(audio[: int(TIMBRAL_S * fs)], fs) for audio, fs in map(some.audio, range(len(some)))]
    before: dict[tuple[str, int], float] = {}
    result: Figures = {}
    for word in words:
        curves = at_strength(batch.curves_db(word, 1.0, some))
        changes = []
        for k, ((audio, fs), curve) in enumerate(zip(sounds, curves, strict=True)):
            key = (TIMBRAL_JUDGES[word][0], k)
            sign = TIMBRAL_JUDGES[word][1]
            if key not in before:
                before[key] = sign * timbral_scores(word, audio, fs)
            after = timbral_scores(word, apply_curve(audio, fs, curve, GRID_HZ), fs)
            changes.append(after - sign * before[key])
        known = np.array([change for change in changes if np.isfinite(change)])
        result[word] = {
            "model": TIMBRAL_JUDGES[word][0],
            "change": float(known.mean()) if len(known) else None,
            "right": float((known > 0.0).mean()) if len(known) else None,
            "clips": len(known),
        }
    return result
