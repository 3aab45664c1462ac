import numpy as np
import pytest

from semeq.training.eq_sets import PEOPLE_SHARES, EqSet, SocialEq
from semeq.training.people import SALT, Fold, correlations, fold, human_score, likest, trains
from semeq.training.splits import Split, split_of
from semeq.training.words import GRID_HZ

SLOPE = np.linspace(-3.0, 3.0, 61)


def people(count: int = 60, seed: int = 0) -> EqSet:
    """Return people who draw a slope for *bright*, each with a colour of their own, twice each."""
    rng = np.random.default_rng(seed)
    names = [f"social:{k}" for k in range(count) for _ in range(2)]
    own = np.repeat(rng.standard_normal((count, 1)), 2, axis=0)
    curves = SLOPE + own * np.cos(np.linspace(0.0, 9.0, 61)) + rng.normal(0.0, 0.2, (2 * count, 61))
    return SocialEq(
        GRID_HZ,
        curves,
        ("bright",) * (2 * count),
        tuple(names),
        ("en",) * (2 * count),
        (),
        tuple(split_of(name, PEOPLE_SHARES) for name in names),
        (),
    )


def test_a_person_is_on_one_side_and_counts_once() -> None:
    made = fold((people(),))
    train, held = made.train["bright"], made.held["bright"]
    assert len(train) + len(held) == 60
    assert 8 <= len(held) <= 30
    assert not {tuple(row) for row in train} & {tuple(row) for row in held}


def test_the_salt_of_training_is_the_split_of_the_set_and_others_differ() -> None:
    drawn = people()
    usual = [trains(drawn, k) for k in range(len(drawn))]
    assert usual == [split is Split.TRAIN for split in drawn.splits]
    other = [trains(drawn, k, f"{SALT}-1") for k in range(len(drawn))]
    assert other != usual
    assert 0.5 < np.mean(other) < 0.9


def test_the_largest_contributors_train_under_every_salt() -> None:
    drawn = people()
    # As eq_sets does with a room that gave a third of all rows: to train against the hash.
    hashed = next(k for k in range(len(drawn)) if drawn.splits[k] is not Split.TRAIN)
    room = drawn.people[hashed]
    splits = tuple(
        Split.TRAIN if name == room else split
        for name, split in zip(drawn.people, drawn.splits, strict=True)
    )
    forced = SocialEq(
        drawn.freqs_hz, drawn.curves_db, drawn.words, drawn.people, drawn.languages, (), splits, ()
    )
    assert all(trains(forced, hashed, f"{SALT}-{seed}") for seed in range(20))


def test_correlation_is_pearsons_within_the_range() -> None:
    rows = np.random.default_rng(0).standard_normal((3, 61))
    inside = (GRID_HZ >= 50.0) & (GRID_HZ <= 16_000.0)
    assert correlations(rows, rows) == pytest.approx(np.corrcoef(rows[:, inside]))
    assert correlations(5.0 + 2.0 * rows[:1], rows[:1]) == pytest.approx(1.0)
    assert correlations(np.ones((1, 61)), rows) == pytest.approx(0.0)


def test_what_people_have_in_common_beats_a_person_and_its_reverse_loses() -> None:
    held = fold((people(),)).held["bright"]
    score = human_score(np.array([SLOPE, -SLOPE, held[0]]), held)
    assert score.people == len(held)
    assert score.r[0] > 0.9 > 0.0 > score.r[1]
    assert score.percentile[0] > 0.5
    assert score.percentile[1] == 0.0
    assert 0.0 < score.median_person < 1.0


def test_curves_are_means_of_those_to_learn_from() -> None:
    made = fold((people(),))
    assert made.curves()["bright"] == pytest.approx(made.train["bright"].mean(axis=0))
    assert made.agreed(0.3) == ("bright",)
    assert made.agreed(0.999) == ()


def test_the_likest_word_is_found() -> None:
    rows = fold((people(),)).held["bright"]
    made = Fold({"dark": -rows}, {"bright": rows, "dark": -rows[:1]})
    found = likest(made, ("bright", "dark"), np.array([SLOPE, SLOPE, SLOPE, -SLOPE]))
    assert found == pytest.approx([0.75, 0.25])
    assert likest(made, ("bright", "dark"), np.zeros((2, 61))) == pytest.approx([0.0, 0.0])
