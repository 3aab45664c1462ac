"""What ships as ``presets/words.json``: human data turned into one typical curve a word.

    python -m semeq.training.words --data DIR --out presets/words.json

Recipe
------
1. *Names.* SocialEQ asked people for a word, so every answer made of letters counts. SAFE-DB holds free
   text under which a setting was saved: a name counts if two contributors used it or SocialEQ has it,
   or if it is one of `SOUND_WORDS`, and never if it names a track or a preset (`NOT_A_SOUND`, both in
   `semeq.training.word_people`). A SAFE comparative or noun (brighter, warmth) counts for its word. Names
   with digits or signs are left out.
2. *People.* Rows that repeat a word and its setting are dropped, and so are flat ones. A SAFE contributor is
   one person, whatever the number of their rows: their curves are averaged. A SocialEQ row is one person.
3. *Level* is removed from every curve: its mean over log-frequency, 20 Hz to 20 kHz.
4. *Strength.* SAFE has dB; SocialEQ has shapes of standard deviation 1. The mean shape over people is
   the smaller the less they agree, and so is SAFE's mean curve: over the words that both sets know from two
   people or more, SAFE's rms in dB is regressed on the rms of SocialEQ's mean shape, through the origin,
   each word weighted by ``n m / (n + m)`` of its people. The slope, dB per unit of shape, scales every
   SocialEQ curve. A word's strength is thus what its people have in common: near 4 dB where all agree.
5. *Curve.* The mean over people of both sets, each person weighing the same. What exceeds
   `STRONGEST_DB` rms is scaled down to it: some turned every control to its stop, and a word at weight 1
   should be a fair start for a knob that goes further.
6. *Spread* is the standard deviation over people at each point, from three people on: with two,
   mean and spread would give both their rows away.
7. *Agreement* is the mean correlation over pairs of people.
8. *Opposite and nearest* words of the same language by correlation of curves, times the square root of
   the candidate's reliability ``n a / (1 + (n - 1) a)`` (n people who agree by a; a drawn towards
   `TYPICAL_AGREEMENT` as if by six pairs of people more), so that a chance likeness to two people
   does not beat a word that many agree on. One-person words are no candidates.
9. *Bands*: `semeq.training.word_fit`.

A word known in two languages belongs to the one in which more people gave it. The result is the same byte for
byte at every run.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from semeq.engine.atomic import write_text
from semeq.engine.errors import DataError
from semeq.engine.units import Floats
from semeq.engine.words import FORMAT, FORMAT_VERSION, Vocabulary
from semeq.training.human import (
    SAFE_FILE,
    SOCIAL_FILE,
    HumanData,
    SafeRow,
    SocialRow,
    read_safe,
    read_social,
)
from semeq.training.word_fit import fit_curves, rms_db
from semeq.training.word_people import FLAT_DB, People, gather

SAFE, SOCIAL = "SAFE-DB", "SocialEQ"
#: A sixth of an octave: finer than what people draw, 61 points.
GRID_HZ = np.round(np.geomspace(20.0, 20_000.0, 61), 2)
#: No word is stronger than this at weight 1 (dB rms).
STRONGEST_DB = 6.0
#: From how many people on a spread is given.
SPREAD_PEOPLE = 3
#: From how many people, in each set, a word serves to find the scale.
SCALE_PEOPLE = 2
#: Mean agreement of a word, and the number of pairs of people that it counts as.
TYPICAL_AGREEMENT, TYPICAL_PAIRS = 0.25, 6.0
#: What counts as opposite and as near.
OPPOSITE_R, NEAREST_R, NEAREST_COUNT = -0.3, 0.5, 3
CITATIONS = (
    "R. Stables, S. Enderby, B. De Man, G. Fazekas, J. D. Reiss, SAFE: A system for the extraction "
    "and retrieval of semantic audio descriptors, ISMIR 2014",
    "M. Cartwright, B. Pardo, Social-EQ: Crowdsourcing an equalization descriptor map, ISMIR 2013",
    "T. Zheng, P. Seetharaman, B. Pardo, SocialFX: Studying a crowdsourced folksonomy of audio "
    "effects terms, ACM MM 2016",
)


@dataclass(frozen=True, slots=True)
class Scale:
    """The slope from SocialEQ's shapes to dB, its number of words and their rms miss in dB."""

    db_per_unit: float
    words: int
    miss_db: float


def find_scale(people: dict[str, People]) -> Scale:
    """Return how many dB one unit of SocialEQ's shape is (step 4 of the module's recipe).

    Raises
    ------
    DataError
        If no word is known to both sets.
    """
    shapes, levels, weights = [], [], []
    for _, both in sorted(people.items()):
        n, m = len(both.safe), len(both.social)
        if min(n, m) >= SCALE_PEOPLE:
            levels.append(float(rms_db(np.mean(both.safe, axis=0))))
            shapes.append(float(rms_db(np.mean(both.social, axis=0))))
            weights.append(n * m / (n + m))
    if not shapes:
        raise DataError(
            f"SAFE-DB and SocialEQ must share a word that {SCALE_PEOPLE} people or more in each "
            "taught, got none: the shapes have no scale"
        )
    x, y, w = np.array(shapes), np.array(levels), np.array(weights)
    slope = float((w * x * y).sum() / (w * x * x).sum())
    miss = float(np.sqrt((w * (y - slope * x) ** 2).sum() / w.sum()))
    return Scale(round(slope, 3), len(shapes), round(miss, 2))


def agreement(curves: Floats) -> float:
    """Return the mean correlation over pairs of rows, shape ``(people, n)``, people >= 2."""
    units = curves / np.linalg.norm(curves, axis=1, keepdims=True)
    n = len(units)
    # |sum of unit vectors|² = n + the sum over all ordered pairs.
    return float((np.square(units.sum(axis=0)).sum() - n) / (n * (n - 1)))


def relations(entries: list[dict[str, object]], curves: Floats) -> None:
    """Add to each entry its opposite and nearest words (step 8 of the module's recipe)."""
    units = curves / np.linalg.norm(curves, axis=1, keepdims=True)
    r = units @ units.T
    people = np.array([entry["people"] for entry in entries], dtype=float)
    agreed = np.array([float(str(entry["agreement"] or 0.0)) for entry in entries])
    pairs = people * (people - 1.0) / 2.0
    agreed = (pairs * agreed + TYPICAL_PAIRS * TYPICAL_AGREEMENT) / (pairs + TYPICAL_PAIRS)
    agreed = np.maximum(agreed, 0.0)
    trust = np.sqrt(people * agreed / (1.0 + (people - 1.0) * agreed))
    language = np.array([entry["language"] for entry in entries])
    for k, entry in enumerate(entries):
        mine = language == language[k]
        mine[k] = False
        known = mine & (people > 1)
        candidates = np.flatnonzero(known if known.any() else mine)
        score = np.round(r[k, candidates] * (trust[candidates] if known.any() else 1.0), 6)
        order = candidates[np.argsort(-score, kind="stable")]
        ranked = np.sort(-score, kind="stable")
        entry["opposite"] = (
            entries[order[-1]]["word"] if len(order) and -ranked[-1] <= OPPOSITE_R else None
        )
        near = order[: int((-ranked >= NEAREST_R).sum())][:NEAREST_COUNT]
        entry["nearest"] = [entries[i]["word"] for i in near]


def _entry(word: str, taught: People, scale: Scale) -> tuple[dict[str, object], Floats]:
    n, m = len(taught.safe), len(taught.social)
    curves = np.array([*taught.safe, *(scale.db_per_unit * shape for shape in taught.social)])
    curves *= min(1.0, STRONGEST_DB / max(float(rms_db(curves.mean(axis=0))), FLAT_DB))
    curve = curves.mean(axis=0)
    languages = taught.languages
    spread = curves.std(axis=0, ddof=1) if n + m >= SPREAD_PEOPLE else None
    shares = ((SAFE, n), (SOCIAL, m))
    entry: dict[str, object] = {
        "word": word,
        "language": min(languages, key=lambda name: (-languages[name], name)),
        "people": n + m,
        "agreement": round(agreement(curves), 3) if n + m > 1 else None,
        "sources": {name: [k, round(k / (n + m), 3)] for name, k in shares if k},
        "spread_db": None if spread is None else [round(float(x), 2) for x in spread],
    }
    return entry, curve


def build(safe: HumanData[SafeRow], social: HumanData[SocialRow]) -> str:
    """Return the vocabulary as the text of ``words.json``: one word a line.

    Raises
    ------
    DataError
        If the two sets share no word.
    """
    people, left_out = gather(safe, social, GRID_HZ)
    scale = find_scale(people)
    made = [_entry(word, taught, scale) for word, taught in sorted(people.items())]
    # Rounded first, so that the bands are fitted to what is written.
    curves = np.round(np.array([curve for _, curve in made]), 2) + 0.0
    kept = rms_db(curves) >= FLAT_DB
    entries = [entry for (entry, _), keep in zip(made, kept, strict=True) if keep]
    curves = curves[kept]
    relations(entries, curves)
    settings, error = fit_curves(curves, GRID_HZ)
    for entry, curve, eq, fit in zip(entries, curves, settings, error, strict=True):
        entry["curve_db"] = curve.tolist()
        entry["bands"] = [
            [float(f"{b.freq_hz:.4g}"), b.gain_db, float(f"{b.q:.3g}")] for b in eq.bands
        ]
        entry["fit_rms_db"] = round(float(fit), 3)
    entries.sort(key=lambda entry: (str(entry["language"]), -int(str(entry["people"]))))
    header: dict[str, object] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "about": "Mean equaliser curves of words over people, made by semeq.training.words",
        "data": {SAFE_FILE: safe.sha256, SOCIAL_FILE: social.sha256},
        "citations": CITATIONS,
        "scale": {
            "recipe": "SocialEQ shapes times db_per_unit: SAFE-DB's rms regressed on the rms of "
            "SocialEQ's mean shape, over the words both know from two people or more",
            "db_per_unit": scale.db_per_unit,
            "words": scale.words,
            "rms_miss_db": scale.miss_db,
        },
        "left_out": left_out,
        "corrupt_rows": {SAFE_FILE: safe.corrupt, SOCIAL_FILE: social.corrupt},
        "bands": {"order": "freq_hz, gain_db, q", "design": "prototype"},
        "freqs_hz": GRID_HZ.tolist(),
    }
    lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in header.items()]
    words = [json.dumps(e, ensure_ascii=False, separators=(",", ":")) for e in entries]
    return "{\n" + ",\n".join(lines) + ',\n"words": [\n' + ",\n".join(words) + "\n]\n}\n"


@click.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help=f"Folder with {SAFE_FILE} and {SOCIAL_FILE}.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write.")
@click.option("--any-version", is_flag=True, help="Accept data files with another sha256.")
def main(data: Path, out: Path, any_version: bool) -> None:
    """Turn the human data into the vocabulary that ships with semeq."""
    try:
        text = build(
            read_safe(data / SAFE_FILE, any_version=any_version),
            read_social(data / SOCIAL_FILE, any_version=any_version),
        )
        words = Vocabulary.from_json(text).words.values()
        write_text(out, text)
    except (DataError, OSError) as error:
        raise click.ClickException(str(error)) from error
    fits = sorted(word.fit_rms_db for word in words)
    click.echo(
        f"{out}: {len(fits)} words, fit median {np.median(fits):.3f} dB rms, "
        f"90 % below {np.quantile(fits, 0.9):.3f}, worst {fits[-1]:.3f}",
        err=True,
    )


if __name__ == "__main__":
    main()
