"""What a training run learns from: people's curves, music as band levels, a few minutes of real sound.

All of it is kept in the run's folder. Under ``torchrun`` the first process decodes and the others wait.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from semeq.engine.errors import DataError
from semeq.engine.units import Floats
from semeq.training import train
from semeq.training.config import Config, split_weight
from semeq.training.eq_sets import read_people
from semeq.training.levels import LevelBank, build_bank
from semeq.training.mixture import Mixture
from semeq.training.put_on import PutOn
from semeq.training.recordings import AudioSource
from semeq.training.sounds import SoundBank, build_sounds
from semeq.training.sources import find_source
from semeq.training.splits import Shares, Split
from semeq.training.train import Report

#: Between drawing packages (1) and drawing files (0) at equal chances.
EVENNESS = 0.5
#: Real sounds that judge the loop, as a part of those that train it.
JUDGING_SHARE = 0.2


class RunData:
    """The data of one training run.

    Parameters
    ----------
    config : Config
        Where it is and how much of it is wanted.
    folder : Path
        Where what was decoded is kept.
    report : callable
        Told one line at a time.
    """

    def __init__(self, config: Config, folder: Path, report: Report) -> None:
        self.config, self.folder, self.report = config, folder, report
        self._people: tuple[Floats, tuple[str, ...], Floats] | None = None
        self._banks: tuple[LevelBank, LevelBank] | None = None

    def people(self) -> tuple[Floats, tuple[str, ...], Floats]:
        """Return the curves and words of people in training, and the curves of others."""
        if self._people is None:
            if not self.config.data.human:
                raise DataError("data.human must name a folder with the human data, got nothing")
            sets = read_people(
                Path(self.config.data.human), any_version=self.config.data.any_version
            )
            seen = [people.split(Split.TRAIN) for people in sets]
            unseen = [people.split(Split.VALID) for people in sets]
            self._people = (
                np.concatenate([people.curves_db for people in seen]),
                tuple(word for people in seen for word in people.words),
                np.concatenate([people.curves_db for people in unseen]),
            )
        return self._people

    def put_on(self) -> PutOn:
        """Return the draw of curves for training."""
        return PutOn(self.people()[0])

    def banks(self) -> tuple[LevelBank, LevelBank]:
        """Return the decoded music for training and for early stopping: other packages."""
        if self._banks is None:
            rank, share = train.processes()
            if rank == 0:
                for split in (Split.TRAIN, Split.VALID):
                    if not self._bank_path(split).exists():
                        self._decode(split)
            if share > 1:
                torch.distributed.barrier()
            self._banks = (
                LevelBank.load(self._bank_path(Split.TRAIN)),
                LevelBank.load(self._bank_path(Split.VALID)),
            )
        return self._banks

    def _bank_path(self, split: Split) -> Path:
        return self.folder / f"bank_{split}.npz"

    def _mixture(self, split: Split) -> Mixture:
        data = self.config.data
        if not data.audio:
            raise DataError("data.audio must name folders of music, got none")
        sources: dict[str, tuple[AudioSource, float]] = {}
        for item in data.audio:
            folder, weight = split_weight(item)
            shares = Shares(valid=data.valid_share, test=0.0)
            sources[folder] = (
                find_source(Path(folder), split=split, shares=shares, evenness=EVENNESS),
                weight,
            )
        return Mixture(sources)

    def _counted(self, what: str, count: int) -> Callable[[], None]:
        """Return what is called after each of `count` stretches, and reports a hundred at a time."""
        done = [0]

        def progress() -> None:
            done[0] += 1
            if done[0] % 100 == 0 or done[0] == count:
                self.report(f"decoding {what}: {done[0]} of {count} stretches")

        return progress

    def _decode(self, split: Split) -> None:
        data, mixture = self.config.data, self._mixture(split)
        count = data.stretches if split is Split.TRAIN else data.valid_stretches
        rng = np.random.default_rng([self.config.seed, *str(split).encode()])
        bank = build_bank(
            mixture,
            rng,
            stretches=count,
            seconds=data.seconds,
            progress=self._counted(f"music ({split})", count),
        )
        bank.save(self._bank_path(split))
        self.report(mixture.summary())

    def sounds(self, split: Split) -> SoundBank:
        """Return real sounds for the loop, decoded once."""
        path = self.folder / f"sounds_{split}.npz"
        options = self.config.e2e
        count = options.sound_stretches
        if split is not Split.TRAIN:
            count = max(1, round(JUDGING_SHARE * count))
        if train.processes()[0] == 0 and not path.exists():
            rng = np.random.default_rng([self.config.seed, 5, *str(split).encode()])
            build_sounds(
                self._mixture(split),
                rng,
                count=count,
                # A second in which a window finds its place.
                seconds=options.window_s + 1.0,
                progress=self._counted(f"sounds ({split})", count),
            ).save(path)
        if train.processes()[1] > 1:
            torch.distributed.barrier()
        return SoundBank.load(path)
