"""What is kept between two passes: all of it or nothing, and no file is left."""

from pathlib import Path

import numpy as np
import pytest
from sound_files import noise

from semeq.engine import spool as spool_module
from semeq.engine.spool import Spool


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    x = noise(1000, 3)
    with Spool(tmp_path, 3) as spool:
        for at in range(0, 1000, 300):
            spool.write(x[at : at + 300])
        assert spool.is_complete
        blocks = list(spool.blocks(256))
        assert [len(block) for block in blocks] == [256, 256, 256, 232]
        assert np.array_equal(np.concatenate(blocks), x)
        blocks[0] *= np.float32(2.0)  # they belong to whoever gets them
        assert np.array_equal(np.concatenate(list(spool.blocks(999))), x)
    assert list(tmp_path.iterdir()) == []


def test_too_much_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "MAX_BYTES", 8 * 500)
    with Spool(tmp_path, 2) as spool:
        spool.write(noise(500))
        assert spool.is_complete
        spool.write(noise(1))
        assert not spool.is_complete
        spool.write(noise(1))
        assert list(spool.blocks(100)) == []


def test_no_room_is_no_error(tmp_path: Path) -> None:
    with Spool(tmp_path / "missing", 2) as spool:
        spool.write(noise(10))
        assert not spool.is_complete
        assert list(spool.blocks(100)) == []
