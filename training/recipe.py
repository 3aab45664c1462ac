"""The recipe from data to a model that ships: what ``semeq train`` does, stage by stage.

``FOLDER`` afterwards holds ``words.json``, the decoded music (``bank_*.npz``, ``sounds_*.npz``), a
checkpoint, curves in CSV and PNG for each stage, and ``model/`` with what `semeq.engine.model_file` loads.
Whatever is there already is used, so a run that was stopped goes on where it was.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from semeq.engine.errors import DataError, SettingsError
from semeq.engine.fit import to_parameters
from semeq.engine.units import Floats
from semeq.engine.words import Vocabulary
from semeq.training import checkpoint, train
from semeq.training.config import Config
from semeq.training.loop import LoopStage
from semeq.training.models import AudioEncoder, EQAutoencoder
from semeq.training.quality import Quality
from semeq.training.run_data import RunData
from semeq.training.splits import Split
from semeq.training.stages import AudioStage, EqStage, start_from_components
from semeq.training.train import Plan, Report

Module = TypeVar("Module", bound=torch.nn.Module)
#: Words that the loop is trained with: known to as many people, who agree by as much.
LOOP_PEOPLE, LOOP_AGREEMENT = 2, 0.15


class Run:
    """One training run in a folder.

    Parameters
    ----------
    config : Config
        What to do with which data.
    folder : Path
        Where everything goes; made if it is not there.
    report : callable
        Told one line at a time.
    """

    def __init__(self, config: Config, folder: Path, *, report: Report = lambda _: None) -> None:
        self.config, self.folder, self.report = config, folder, report
        if config.device not in ("cpu", "cuda") or (
            config.device == "cuda" and not torch.cuda.is_available()
        ):
            raise SettingsError(f"device must be cpu or an available cuda, got {config.device}")
        rank = train.processes()[0]
        self.device = torch.device(
            f"cuda:{rank % torch.cuda.device_count()}" if config.device == "cuda" else "cpu"
        )
        if config.threads:
            torch.set_num_threads(config.threads)
        self.data = RunData(config, folder, report)

    def stages(self, names: Iterable[str]) -> None:
        """Run stages in the given order.

        Raises
        ------
        DataError
            If data is missing, or an earlier stage is.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        known: dict[str, Callable[[], object]] = {
            "words": self.words,
            "eq": self.eq,
            "audio": self.audio,
            "e2e": self.e2e,
            "export": self.export,
        }
        with train.process_group(self.device):
            for name in names:
                known[name]()

    def _quality(self, starts: Floats) -> tuple[Quality, Quality] | None:
        if not self.config.e2e.sound_stretches:
            if self.config.e2e.quality_weight:
                raise DataError(
                    "e2e.sound_stretches must be 1 or more for a quality_weight above 0, got 0"
                )
            return None
        for_training, for_judging = (
            Quality(self.data.sounds(split), self.data.put_on(), starts, self.device)
            for split in (Split.TRAIN, Split.VALID)
        )
        return for_training, for_judging

    def vocabulary(self) -> Vocabulary:
        """Return the run's own words, or those that ship."""
        path = self.folder / "words.json"
        if path.exists():
            return Vocabulary.from_json(path.read_text(encoding="utf-8"))
        from semeq.presets.library import shipped_vocabulary

        return shipped_vocabulary()

    def notes(self, stage: str) -> dict[str, Any]:
        """Return what tells a stage of this run from that of any other."""
        return {"config": self.config.sha256_of(stage), "seed": self.config.seed}

    # stages

    def words(self) -> None:
        """Make ``words.json`` from the human data."""
        if train.processes()[0] or (self.folder / "words.json").exists():
            return
        from semeq.engine.atomic import write_text
        from semeq.training.human import SAFE_FILE, SOCIAL_FILE, read_safe, read_social
        from semeq.training.words import build

        if not self.config.data.human:
            raise DataError("data.human must name a folder with the human data, got nothing")
        human, any_version = Path(self.config.data.human), self.config.data.any_version
        text = build(
            read_safe(human / SAFE_FILE, any_version=any_version),
            read_social(human / SOCIAL_FILE, any_version=any_version),
        )
        write_text(self.folder / "words.json", text)
        self.report(f"words: {len(self.vocabulary().words)} words")

    def eq(self) -> EQAutoencoder:
        """Train the autoencoder of curves."""
        options = self.config.eq
        torch.manual_seed(self.config.seed)
        module = EQAutoencoder()
        human, words, unseen = self.data.people()
        put_on = self.data.put_on()
        random = put_on.draw(np.random.default_rng([self.config.seed, 3]), 4 * len(human))
        start_from_components(module, np.concatenate([human, random]))
        stage = EqStage(module.to(self.device), (human, words), unseen, put_on, options)
        plan = Plan(
            options.epochs,
            options.steps,
            options.learning_rate,
            0.0,
            options.patience,
            self.config.seed,
        )
        train.fit(stage, plan, self.folder, notes=self.notes(stage.name), report=self.report)
        return module

    def audio(self) -> AudioEncoder:
        """Train the audio encoder by embedding matching."""
        options = self.config.audio
        autoencoder = self._trained(EQAutoencoder(), "eq")
        torch.manual_seed(self.config.seed)
        module = AudioEncoder(dropout=options.dropout).to(self.device)
        stage = AudioStage(
            module,
            autoencoder,
            *self.data.banks(),
            self.data.put_on(),
            options,
            seed=self.config.seed,
        )
        plan = Plan(
            options.epochs,
            options.steps,
            options.learning_rate,
            options.weight_decay,
            options.patience,
            self.config.seed,
        )
        train.fit(stage, plan, self.folder, notes=self.notes(stage.name), report=self.report)
        return module

    def e2e(self) -> AudioEncoder:
        """Close the loop."""
        options = self.config.e2e
        autoencoder = self._trained(EQAutoencoder(), "eq")
        module = self._trained(AudioEncoder(dropout=self.config.audio.dropout), "audio")
        words = [
            word
            for word in self.vocabulary().words.values()
            if word.people >= LOOP_PEOPLE and (word.agreement or 0.0) >= LOOP_AGREEMENT
        ]
        stage = LoopStage(
            module,
            autoencoder,
            *self.data.banks(),
            self.data.put_on(),
            options,
            np.array([word.curve_db for word in words]),
            matching=self.config.audio,
            quality=self._quality(np.array([to_parameters(word.settings) for word in words])),
            seed=self.config.seed,
        )
        plan = Plan(
            options.epochs,
            options.steps,
            options.learning_rate,
            options.weight_decay,
            options.patience,
            self.config.seed,
        )
        train.fit(stage, plan, self.folder, notes=self.notes(stage.name), report=self.report)
        return module

    def export(self) -> Path:
        """Write ``model/``: the encoder as ONNX, decoder and words as arrays."""
        from semeq.training.export import export_model

        target = self.folder / "model"
        if train.processes()[0] == 0:
            last = self.config.ship
            if last not in ("audio", "e2e"):
                raise DataError(f"ship must be audio or e2e, got {last!r}")
            encoder = self._trained(AudioEncoder(), last)
            autoencoder = self._trained(EQAutoencoder(), "eq")
            banks = [bank.sha256 for bank in self.data.banks()]
            notes = {
                **self.notes(last),
                "stage": last,
                "music": banks,
                "boldness": list(self.config.boldness),
            }
            parity = export_model(encoder, autoencoder, self.vocabulary(), target, notes=notes)
            self.report(f"export: {target}, largest difference from torch {parity:.1e}")
        return target

    def _trained(self, module: Module, stage: str) -> Module:
        path = self.folder / f"{stage}.npz"
        if not path.exists():
            raise DataError(f"stage {stage} must be trained first: {path} is not there")
        states, found = checkpoint.load(path)
        if found.get("config") != self.config.sha256_of(stage):
            raise DataError(
                f"{path} must come from the same configuration, got another: choose another "
                "folder, or delete it to start again"
            )
        module.load_state_dict(states["best"])
        return module.to(self.device).eval()
