"""What a training run is told: one TOML file, every value with a default, unknown names refused.

::

    seed = 0
    threads = 2

    [data]
    human = "data"                    # folder with safe_eq.csv and socialeq.csv
    audio = ["music:2", "fma"]        # PACKAGE/…/FILE, FMA, MUSDB18 or "noise", each with its weight (1)
    stretches = 2400                  # music is decoded once into so many stretches of so many seconds
    seconds = 12.0

    [audio]                           # and [eq], [e2e]
    epochs = 30
"""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from semeq.engine.errors import DataError
from semeq.engine.texts import load_toml, read_limited

Made = TypeVar("Made")
#: The stages that train something, each from what those before it left.
STAGES = ("eq", "audio", "e2e")
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class DataOptions:
    """Where the data is, and how much of the music is decoded."""

    human: str = ""
    audio: tuple[str, ...] = ()
    any_version: bool = False
    stretches: int = 2400
    valid_stretches: int = 300
    seconds: float = 12.0
    valid_share: float = 0.15


@dataclass(frozen=True, slots=True)
class EqOptions:
    """The stage ``eq``: the autoencoder of curves."""

    epochs: int = 12
    steps: int = 100
    batch: int = 256
    learning_rate: float = 2e-3
    patience: int = 6
    contrast: float = 1.0


@dataclass(frozen=True, slots=True)
class AudioOptions:
    """The stage ``audio``: sounds to the latents of the curves put on them.

    ``pairs`` windows of music are drawn a step, each under two curves. ``pair_weight`` weighs what is wrong
    about the difference within a pair against what is wrong in all; more of it makes a bolder encoder.
    """

    epochs: int = 40
    steps: int = 150
    pairs: int = 32
    window_s: float = 3.0
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    patience: int = 12
    pair_weight: float = 0.3
    latent_weight: float = 1.0
    dropout: float = 0.2


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """The stage ``e2e``: the closed loop, sound to EQ to sound to latent.

    ``sounds`` windows a step are real sounds under real filters, drawn from ``sound_stretches`` that are
    decoded once; ``quality_weight`` weighs their multi-resolution STFT error. 0 stretches: levels alone.
    """

    epochs: int = 8
    steps: int = 100
    pairs: int = 24
    window_s: float = 3.0
    learning_rate: float = 3e-4
    weight_decay: float = 1e-2
    patience: int = 8
    first_intensity: float = 0.3
    consistency_weight: float = 0.3
    second_judge_weight: float = 0.1
    strength_weight: float = 0.1
    quality_weight: float = 0.0
    sounds: int = 4
    sound_stretches: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """All of it.

    ``boldness`` are the factors at 100 Hz, 1 kHz and 8 kHz on what is heard that an exported model is used
    with: an encoder trained for the least squared error says too little of what was put on, most of all in
    the bass. They were chosen on music of training that taught the encoder nothing.
    ``ship`` is the stage whose encoder is exported, "audio" or "e2e": so far the loop, closed for a few
    minutes, adapts and restores no better than embedding matching does.
    """

    seed: int = 0
    threads: int = 0
    device: str = "cpu"
    boldness: tuple[float, ...] = (1.4, 1.2, 1.0)
    ship: str = "audio"
    data: DataOptions = field(default_factory=DataOptions)
    eq: EqOptions = field(default_factory=EqOptions)
    audio: AudioOptions = field(default_factory=AudioOptions)
    e2e: LoopOptions = field(default_factory=LoopOptions)

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read a configuration; relative folders count from the file's own.

        Raises
        ------
        DataError
            If it cannot be read, or a name or a value is wrong.
        """
        try:
            content = load_toml(read_limited(path, _LARGEST).decode("utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path} must be a TOML file, got {error}") from error
        config = _made(cls, content, "")
        home = path.parent
        data = dataclasses.replace(
            config.data,
            human=str(home / config.data.human) if config.data.human else "",
            audio=tuple(_absolute(home, item) for item in config.data.audio),
        )
        return dataclasses.replace(config, data=data)

    @property
    def sha256(self) -> str:
        """What tells this configuration from any other, wherever its data lies."""
        return self.sha256_of("e2e")

    def sha256_of(self, stage: str) -> str:
        """Return what tells this configuration from any other as far as a stage's weights depend on it.

        ``eq`` depends on the seed, the data and its own options; ``audio`` on those and its own; and so on.
        Whoever changes the options of the loop keeps the encoder that it starts from.
        """
        content = dataclasses.asdict(self)
        content["data"] = {k: v for k, v in content["data"].items() if k not in ("human", "audio")}
        # What changes nothing about the weights is left out, and what comes later.
        names = ("seed", "data", *STAGES[: STAGES.index(stage) + 1])
        known = {name: content[name] for name in names}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


_TABLES: dict[str, type] = {
    "data": DataOptions,
    "eq": EqOptions,
    "audio": AudioOptions,
    "e2e": LoopOptions,
}


def _absolute(home: Path, item: str) -> str:
    folder, weight = split_weight(item)
    return f"{home / folder}:{weight:g}"


def split_weight(item: str) -> tuple[str, float]:
    """Return folder and weight of ``"folder"`` or ``"folder:weight"``.

    >>> split_weight("music:2")
    ('music', 2.0)
    """
    folder, colon, text = item.rpartition(":")
    try:
        return (folder, float(text)) if colon else (item, 1.0)
    except ValueError:
        return item, 1.0


def _made(kind: type[Made], content: object, where: str) -> Made:
    if not isinstance(content, dict):
        raise DataError(f"[{where}] must be a table, got {content!r}")
    fields = {
        f.name: f
        for f in dataclasses.fields(kind)  # type: ignore[arg-type] # always one of ours
    }
    values: dict[str, object] = {}
    for name, value in content.items():
        full = f"{where}.{name}" if where else name
        if name not in fields:
            raise DataError(f"{full} must be one of {', '.join(fields)}")
        default = fields[name].default
        if default is dataclasses.MISSING:
            values[name] = _made(_TABLES[name], value, full)
        else:
            values[name] = _value(full, value, default)
    return kind(**values)


def _numbers(name: str, value: object, count: int) -> tuple[float, ...]:
    numbers = value if isinstance(value, list) else []
    if len(numbers) != count or not all(
        isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) and x >= 0
        for x in numbers
    ):
        raise DataError(f"{name} must be {count} numbers of 0 or more, got {value!r}")
    return tuple(float(x) for x in numbers)


def _value(name: str, value: object, default: object) -> object:
    if isinstance(default, tuple):
        if default and isinstance(default[0], float):
            return _numbers(name, value, len(default))
        if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise DataError(f"{name} must be a list of text, got {value!r}")
        return tuple(value)
    wanted = float if isinstance(default, float) else type(default)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not wanted:
        raise DataError(f"{name} must be of type {wanted.__name__}, got {value!r}")
    if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
        raise DataError(f"{name} must be 0 or more, got {value!r}")
    return value
