"""People's curves as sets: names, level, scale, and splits by person."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from human_data import safe_row, small_data, social_row, write_data

from semeq.engine.design import response_db
from semeq.engine.errors import DataError, UnknownWordError
from semeq.training.eq_sets import EqSet, SafeEq, SocialEq, read_people
from semeq.training.human import SAFE_FILE, SAFE_FS, SOCIAL_FILE, read_safe, read_social
from semeq.training.splits import Shares, Split
from semeq.training.word_people import gather
from semeq.training.words import GRID_HZ, find_scale

WARM = {"low_shelf_gain_db": 5.0, "high_shelf_gain_db": -4.0}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[SafeEq, SocialEq]:
    return read_people(small_data(tmp_path_factory.mktemp("data")), any_version=True)


def test_safe(small: tuple[SafeEq, SocialEq]) -> None:
    safe, _ = small
    assert Counter(safe.words) == {"warm": 4, "bright": 3, "muddy": 3, "sparkle": 1}
    assert dict(safe.left_out) == {"of other names": 4, "repeated": 1, "flat": 1}
    assert safe.counts() == {"bright": 3, "muddy": 3, "warm": 3, "sparkle": 1}
    assert set(safe.people) == {f"safe:{k}" for k in range(1, 7)}
    for settings, curve in zip(safe.settings, safe.curves_db, strict=True):
        whole = response_db(settings, SAFE_FS, GRID_HZ, design="rbj")
        assert curve == pytest.approx(whole - whole.mean(), abs=1e-12)
    assert not safe.curves_db.flags.writeable


def test_social_is_in_db_on_the_same_grid(small: tuple[SafeEq, SocialEq], tmp_path: Path) -> None:
    _, social = small
    small_data(tmp_path)
    people, _ = gather(
        read_safe(tmp_path / SAFE_FILE, any_version=True),
        read_social(tmp_path / SOCIAL_FILE, any_version=True),
        GRID_HZ,
    )
    scale = find_scale(people).db_per_unit
    shapes = SocialEq.from_rows(read_social(tmp_path / SOCIAL_FILE, any_version=True))
    assert social.curves_db == pytest.approx(scale * shapes.curves_db)
    assert social.curves_db.mean(axis=1) == pytest.approx(0.0, abs=1e-9)
    assert Counter(social.languages) == {"en": 8, "es": 4}
    assert dict(social.left_out) == {"of other names": 1}
    # Two rows of the file are the same curve: one person, as far as anyone can tell.
    assert (len(social), len(set(social.people))) == (12, 11)


def test_consistency_filters(tmp_path: Path) -> None:
    rows = [social_row("warm", 1.0, k / 10) for k in range(4)]
    for row, value in zip(rows, (0.1, 0.4, 0.6, 0.9), strict=True):
        row["ratings_consistency"] = str(value)
    write_data(tmp_path, [safe_row("warm", 1, 1, **WARM)], rows)
    social = SocialEq.from_rows(
        read_social(tmp_path / SOCIAL_FILE, any_version=True), consistency=0.5
    )
    assert len(social) == 2
    assert dict(social.left_out) == {"below consistency 0.5": 2}


def many(folder: Path) -> tuple[SafeEq, SocialEq]:
    """Write 40 contributors, one of whom holds half of the rows, and 60 rows of SocialEQ."""
    safe = [safe_row("warm", k, k, peak1_gain_db=k / 10, **WARM) for k in range(40)]
    safe += [safe_row("warm", 99, 99 + k, peak2_gain_db=k / 10, **WARM) for k in range(1, 41)]
    safe += [safe_row("bright", k, 200 + k, high_shelf_gain_db=2 + k / 10) for k in range(40)]
    social = [social_row("warm", -1.0, k / 100) for k in range(60)]
    social += [social_row("bright", 1.0, k / 100) for k in range(3)]
    return read_people(write_data(folder, safe, social), any_version=True)


def test_no_person_is_on_two_sides(tmp_path: Path) -> None:
    for data in many(tmp_path):
        sides = [set(data.split(side).people) for side in Split]
        assert all(sides)
        assert sum(map(len, sides)) == len(set(data.people))
        assert sum(len(data.split(side)) for side in Split) == len(data)
        held = len(sides[1] | sides[2]) / len(set(data.people))
        # Three standard deviations of 0.3 over 41 people.
        assert held == pytest.approx(0.3, abs=3 * (0.21 / 41) ** 0.5)


def test_the_largest_contributor_always_trains(tmp_path: Path) -> None:
    folder = tmp_path
    many(folder)
    safe, _ = read_people(folder, any_version=True, shares=Shares(0.0, 1.0))
    assert {person for person in safe.split(Split.TRAIN).people} == {"safe:99"}


def test_the_order_of_the_file_does_not_matter(tmp_path: Path) -> None:
    _, social = many(tmp_path)
    path = tmp_path / SOCIAL_FILE
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(header + "".join(reversed(rows)), encoding="utf-8")
    turned = SocialEq.from_rows(read_social(path, any_version=True))
    assert dict(zip(social.people, social.splits, strict=True)) == dict(
        zip(turned.people, turned.splits, strict=True)
    )


def test_people_are_drawn_alike_whatever_their_rows(tmp_path: Path) -> None:
    safe, _ = many(tmp_path)
    weights = safe.weights()
    assert weights.sum() == pytest.approx(1.0)
    large = sum(w for w, person in zip(weights, safe.people, strict=True) if person == "safe:99")
    # Of 41 people for warm and 40 for bright.
    assert large == pytest.approx(1 / 81)
    drawn = safe.draw(np.random.default_rng(1), 4000)
    share = sum(safe.people[k] == "safe:99" for k in drawn) / 4000
    assert share == pytest.approx(1 / 81, abs=3 * (1 / 81 / 4000) ** 0.5)


def test_rows_of_a_word(small: tuple[SafeEq, SocialEq]) -> None:
    safe, social = small
    warm = safe.of("warm")
    assert set(warm.words) == {"warm"}
    assert len(warm.settings) == len(warm.curves_db) == len(warm) == 4
    assert isinstance(warm, SafeEq)
    assert social.of("claro").settings == ()
    with pytest.raises(UnknownWordError, match="no one has taught us 'purple'"):
        safe.of("purple")


def test_an_empty_side(small: tuple[SafeEq, SocialEq]) -> None:
    nothing: EqSet = small[0].rows(lambda k: False)
    assert (len(nothing), nothing.curves_db.shape) == (0, (0, len(GRID_HZ)))
    with pytest.raises(DataError, match="SafeEq must hold rows to draw from, got none"):
        nothing.draw(np.random.default_rng(1), 1)


def test_the_summary_is_one_line(small: tuple[SafeEq, SocialEq]) -> None:
    assert small[0].summary().startswith("SafeEq: 11 curves, 4 words, 6 people (")
    assert small[0].summary().endswith("left out: 1 repeated, 4 of other names, 1 flat")
    assert "\n" not in small[1].summary()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"safe_eq\.csv must be a readable file"):
        read_people(tmp_path)
