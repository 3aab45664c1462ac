"""Crops for torch: batches from any number of worker processes, the same whatever their number.

The sequence is woven from `lanes`: batch ``b`` comes from lane ``b % lanes``, and each lane is a
`semeq.training.sequence.CropSequence` with its own seed. Worker ``w`` of ``W`` makes batches ``w, w + W, …``:
where ``lanes`` is a multiple of ``W``, no two workers decode the same passage. With several processes
(``torchrun``) each takes every ``world``-th batch in the same manner. A run goes on after batch ``b`` by
starting there; there is no other state.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch
from numpy.random import Generator
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from semeq.engine.errors import SettingsError
from semeq.training.crops import Crop
from semeq.training.recordings import AudioSource
from semeq.training.sequence import MEGABYTE, CropSequence, CropSettings

#: What is made of a crop; arrays of one shape for all crops. The generator is that of the crop's number.
Prepare = Callable[[Crop, Generator], Mapping[str, npt.NDArray[np.float32]]]
Batch = dict[str, torch.Tensor]
_PREPARE = 4


def plain_audio(crop: Crop, _rng: Generator) -> dict[str, npt.NDArray[np.float32]]:
    """Return the audio of a crop as torch holds it: ``(channels, frames)``."""
    return {"audio": np.ascontiguousarray(crop.audio.T)}


class CropBatches(IterableDataset[Batch]):
    """Endless batches of crops.

    A batch holds what `prepare` makes, stacked; ``number``, its own; and ``left_out``, how many recordings
    the worker that made it could not use so far.

    Parameters
    ----------
    source : AudioSource
        Where crops come from.
    settings : CropSettings
        How they are made. `plain_audio` takes a fixed ``fs`` and ``channels``.
    batch : int
        Crops a batch, >= 1.
    seed : int
        Seed of all lanes.
    prepare : Prepare
        What is made of each crop, in the worker.
    start : int
        Number of the first batch, counted over all processes.
    rank, world : int
        This process among how many.
    lanes : int
        Independent sequences that take turns; a multiple of workers times `world` is best.
    memory_bytes : int
        Limit of decoded sound in each process, shared out among its lanes.
    """

    def __init__(
        self,
        source: AudioSource,
        settings: CropSettings,
        batch: int,
        seed: int,
        *,
        prepare: Prepare = plain_audio,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
        lanes: int = 4,
        memory_bytes: int = 512 * MEGABYTE,
    ) -> None:
        super().__init__()
        if batch < 1 or lanes < 1 or start < 0 or not 0 <= rank < world:
            raise SettingsError(
                "batches must have batch and lanes >= 1, start >= 0 and rank in [0, world), "
                f"got {batch}, {lanes}, {start} and {rank} of {world}"
            )
        self.source, self.settings, self.batch, self.seed = source, settings, batch, seed
        self.prepare, self.start, self.rank, self.world = prepare, start, rank, world
        self.lanes, self.memory_bytes = lanes, memory_bytes

    def make(self, number: int, lanes: dict[int, CropSequence]) -> Batch:
        """Return batch `number`; `lanes` keeps the sequences from one call to the next."""
        lane = number % self.lanes
        if lane not in lanes:
            lanes[lane] = CropSequence(
                self.source,
                self.settings,
                self.seed,
                lane=lane,
                memory_bytes=self.memory_bytes // self.lanes,
            )
        first = number // self.lanes * self.batch
        rows = [
            self.prepare(lanes[lane][k], np.random.default_rng([self.seed, lane, _PREPARE, k]))
            for k in range(first, first + self.batch)
        ]
        return {
            name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]
        } | {
            "number": torch.tensor(number),
            "left_out": torch.tensor(self.source.left_out),
        }

    def __iter__(self) -> Iterator[Batch]:
        """Yield this worker's batches without end."""
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        number = self.start + worker * self.world + self.rank
        lanes: dict[int, CropSequence] = {}
        while True:
            yield self.make(number, lanes)
            number += workers * self.world


def loader(batches: CropBatches, workers: int = 0) -> DataLoader[Batch]:
    """Return a loader that gives the batches in order.

    Parameters
    ----------
    batches : CropBatches
        What to load.
    workers : int
        Processes that decode; 0 decodes in the caller's.
    """
    return DataLoader(
        batches,
        batch_size=None,
        num_workers=workers,
        # Threads of numba or torch do not survive a fork.
        multiprocessing_context="spawn" if workers else None,
        persistent_workers=workers > 0,
    )
