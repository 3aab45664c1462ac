"""The figures of an evaluation as Markdown tables; each says what it shows in one line above it."""

from collections.abc import Callable, Sequence
from typing import Any

from semeq.training.degrade import RECIPE

Figures = dict[str, Any]
#: Ratio of the error after SonicMaster and after Text2FX-cosine to that of doing nothing, from their
#: published table on other clips.
PUBLISHED = {
    "SonicMaster (published)": {
        **{"bright": 0.41, "dark": 0.06, "airy": 0.39, "boom": 0.23, "muddy": 0.09},
        **{"warm": 0.14, "clarity": 0.48, "vocals": 0.23},
    },
    "Text2FX (published)": {
        **{"bright": 1.93, "dark": 2.37, "airy": 1.12, "boom": 1.06, "muddy": 0.80},
        **{"warm": 1.14, "clarity": 0.92, "vocals": 0.87},
    },
}
MISSING = "–"


def cell(figure: Figures | float | None, digits: int = 2) -> str:
    """Return a figure with its interval, or a dash."""
    if figure is None:
        return MISSING
    if isinstance(figure, dict):
        value, low, high = (f"{figure[key]:.{digits}f}" for key in ("value", "low", "high"))
        return f"{value} [{low}, {high}]".replace("-", "−")
    return f"{figure:.{digits}f}".replace("-", "−")


def _get(figures: Figures, *path: str) -> Any:  # noqa: ANN401  # JSON values of any kind
    value: Any = figures
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _by_word(
    methods: dict[str, Figures], path: Callable[[str], tuple[str, ...]], names: Sequence[str]
) -> str:
    rows = [
        [method, *(cell(_get(found, *path(name))) for name in names)]
        for method, found in methods.items()
    ]
    return _table(["method", *names], rows)


def _words(methods: dict[str, Figures]) -> list[str]:
    return max((found["words"] for found in methods.values()), key=len, default=[])


def _only_two(found: Figures, words: Sequence[str]) -> str:
    known = found["words"]
    return "" if len(known) == len(words) else f" ({', '.join(known)} only)"


def markdown(results: Figures) -> str:
    """Return the whole report."""
    methods: dict[str, Figures] = results["methods"]
    setup = results["setup"]
    words = _words(methods)
    lines = [line.name for line in RECIPE]
    main = [
        [
            method + _only_two(found, words),
            cell(_get(found, "triple", "direction")),
            cell(_get(found, "triple", "spread")),
            cell(_get(found, "triple", "restoration")),
            cell(_get(found, "adaptivity", "spearman")),
            cell(_diagonal(_get(found, "confusion", "people"))),
            cell(_get(found, "people", "percentile")),
            cell(_get(found, "people", "median_r_of_agreed")),
            cell(_get(found, "explained_r2")),
        ]
        for method, found in methods.items()
    ]
    more = [
        [
            method,
            cell(_get(found, "blends", "spearman")),
            cell(_blend_mean(found)),
            cell(_get(found, "blends", "gain_at_zero_db"), 3),
            cell(_get(found, "stability", "worst_level_change_db"), 3),
            cell(_get(found, "stability", "movement_between_crops_db")),
            cell(_get(found, "own_score", "spearman")),
            cell(_get(found, "own_score", "spearman_within_words")),
        ]
        for method, found in methods.items()
    ]
    restoration = _by_word(methods, lambda n: ("triple", "restoration_by_line", n), lines)
    restoration += "\n".join(
        "| " + " | ".join([name, *(cell(row.get(line)) for line in lines)]) + " |"
        for name, row in PUBLISHED.items()
    )
    parts = [
        "# Evaluation\n",
        f"{setup['crops']} crops of {setup['seconds']:g} s from {setup['recordings']} recordings of "
        f"{setup['packages']} packages that no method has heard; {setup['seeds']} seeds. In brackets: "
        "95 % intervals, bootstrap over recordings. Definitions: the module docstrings named in "
        "`training/README.md`.\n",
        "## The three at once, and what stands beside them\n\nDirection right at amount 1 (more is "
        "better), spread after pre-tilt at amount 0.8 and restoration error (less is better), "
        "rank correlation of pre-tilt and applied tilt (−1 is best), share of curves that are likest "
        "to the people of the word asked for (of eight), percentile among held-out "
        "people, median r of the words on which people agree, R² of a human curve that was put on.\n",
        _table(
            [
                *("method", "direction", "spread", "restoration"),
                *("adaptivity", "word told", "percentile", "r (agreed)", "R² put on"),
            ],
            main,
        ),
        "## M1 Direction right by word\n",
        _by_word(methods, lambda w: ("triple", "direction_by_word", w), words),
        "## M2 Effect at equal strength (3 dB rms): change of the word's band share, dB\n",
        _by_word(methods, lambda w: ("effect", w, "equal_strength"), words),
        "## M2 Effect at equal strength and loudness: change of the word's band level, dB\n",
        _by_word(methods, lambda w: ("effect", w, "equal_loudness"), words),
        "## M3 Spread of the final tilt after pre-tilt, of the constant curve's\n",
        _by_word(methods, lambda w: ("triple", "spread_by_word", w), words),
        "## M4 Restoration error, of doing nothing\n\nThe mean above leaves out clarity (no shelf undoes "
        "a low-pass) and vocals (*presence* stands in for the word). The last two rows were "
        "published by others on other clips.\n",
        restoration + "\n",
        "## M5 r with the mean of held-out people\n",
        _people_table(methods),
        "## M7, M8 Blends, stability, own score\n\nSize of the rank correlation of amount and score, "
        "one word and blends; largest gain at amount 0 (dB); worst change of the curve for 20 dB "
        "less level (dB rms); movement between crops of one recording (dB rms); rank correlation "
        "of the method's own score with the judges', over all pairs and within words.\n",
        _table(
            [
                *("method", "monotone", "in blends", "at 0, dB", "level, dB"),
                *("movement, dB", "own score", "within words"),
            ],
            more,
        ),
        _timbral_table(methods, words),
    ]
    return "\n".join(part for part in parts if part)


def _diagonal(shares: list[list[float]] | None) -> float | None:
    return sum(row[k] for k, row in enumerate(shares)) / len(shares) if shares else None


def _blend_mean(found: Figures) -> float | None:
    rows = _get(found, "blends", "blends") or {}
    return sum(row["value"] for row in rows.values()) / len(rows) if rows else None


def _people_table(methods: dict[str, Figures]) -> str:
    named = {w for found in methods.values() for w in _get(found, "people", "words") or {}}
    if not named:
        return "No human data was given.\n"
    names = sorted(named)
    rows = [
        [method, *(cell(_get(found, "people", "words", w, "r")) for w in names)]
        for method, found in methods.items()
    ]
    first = next(iter(methods.values()))
    rows.append(
        ["*median person*"]
        + [cell(_get(first, "people", "words", w, "median_person")) for w in names]
    )
    place = [
        [method, *(cell(_get(found, "people", "words", w, "distribution")) for w in names)]
        for method, found in methods.items()
    ]
    return (
        _table(["method", *names], rows)
        + "\n## M6 Place of the outputs' distribution between random EQ (0) and people (1)\n\n"
        + _table(["method", *names], place)
    )


def _timbral_table(methods: dict[str, Figures], words: Sequence[str]) -> str:
    if not any("timbral" in found for found in methods.values()):
        return ""
    rows = []
    for method, found in methods.items():
        row = [method]
        for word in words:
            one = _get(found, "timbral", word)
            change, right = _get(one or {}, "change"), _get(one or {}, "right")
            row.append(MISSING if change is None else f"{cell(change, 1)} ({cell(right)})")
        rows.append(row)
    return (
        "## Timbral models at equal strength: change in rating points (share of clips that went right)\n\n"
        + _table(["method", *words], rows)
    )
