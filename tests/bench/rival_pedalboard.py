"""The job as a Pedalboard script: read, seven filters, write. Arguments: bands.json, in, out."""

import json
import sys
from pathlib import Path

from pedalboard import HighShelfFilter, LowShelfFilter, PeakFilter
from pedalboard._pedalboard import Pedalboard
from pedalboard.io import AudioFile

KINDS = {"low_shelf": LowShelfFilter, "peak": PeakFilter, "high_shelf": HighShelfFilter}
CHUNK = 1 << 16


def board(bands: list[dict[str, float | str]]) -> Pedalboard:
    return Pedalboard(
        [
            KINDS[str(b["kind"])](
                cutoff_frequency_hz=float(b["freq_hz"]),
                gain_db=float(b["gain_db"]),
                q=float(b["q"]),
            )
            for b in bands
        ]
    )


def main() -> None:
    chain = board(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    with AudioFile(sys.argv[2]) as source:
        fs, channels = source.samplerate, source.num_channels
        with AudioFile(sys.argv[3], "w", fs, channels, bit_depth=32) as sink:
            while source.tell() < source.frames:
                sink.write(chain.process(source.read(CHUNK), fs, reset=False))


if __name__ == "__main__":
    main()
