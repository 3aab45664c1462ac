"""The job as a scipy script: read, ``sosfilt``, write. Arguments: bands.json, in, out."""

import json
import sys
from pathlib import Path

import numpy as np
from pedalboard.io import AudioFile
from scipy.signal import sosfilt

CHUNK = 1 << 16


def main() -> None:
    from semeq.engine.design import design_sos
    from semeq.engine.settings import Band, EQSettings

    bands = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with AudioFile(sys.argv[2]) as source:
        fs, channels = source.samplerate, source.num_channels
        sos = np.array(design_sos(EQSettings(tuple(Band(**band) for band in bands)), float(fs)))
        state = np.zeros((len(sos), channels, 2))
        with AudioFile(sys.argv[3], "w", fs, channels, bit_depth=32) as sink:
            while source.tell() < source.frames:
                out, state = sosfilt(sos, source.read(CHUNK), axis=1, zi=state)
                sink.write(out.astype(np.float32))


if __name__ == "__main__":
    main()
