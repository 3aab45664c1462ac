"""Files that replace others: all or nothing, and never an input."""

import errno
import os
from pathlib import Path

import pytest

from semeq.engine.atomic import Replacement, is_same_file, leftovers, write_text
from semeq.engine.errors import AudioFileError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_appears_when_it_is_finished(tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    with Replacement(target) as new:
        new.file.write(b"content")
        assert new.path.suffix == ".wav"
        assert new.path.parent == tmp_path
        assert not target.exists()
        new.commit()
    assert target.read_bytes() == b"content"
    assert names(tmp_path) == ["out.wav"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "out.wav"
    target.write_bytes(b"old")

    def fail() -> None:
        with Replacement(target, overwrite=True) as new:
            new.file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out.wav"]


def test_without_commit_nothing_happens(tmp_path: Path) -> None:
    with Replacement(tmp_path / "out.wav") as new:
        new.file.write(b"x")
    assert names(tmp_path) == []


def test_permissions_of_the_old_file_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    target.write_bytes(b"old")
    target.chmod(0o640)
    with Replacement(target, overwrite=True) as new:
        new.commit()
    assert target.stat().st_mode & 0o777 == 0o640


def test_permissions_of_a_new_file_are_the_usual_ones(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with Replacement(tmp_path / "out.wav") as new:
        new.commit()
    assert (tmp_path / "out.wav").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_existing_files_need_permission(tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    target.touch()
    with pytest.raises(AudioFileError, match=r"out\.wav exists: give --overwrite to replace it"):
        Replacement(target)


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out.wav"

    def race() -> None:
        with Replacement(target) as new:
            target.write_bytes(b"theirs")
            new.commit()

    with pytest.raises(AudioFileError, match="appeared meanwhile"):
        race()
    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["out.wav"]


def test_an_input_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "in.wav"
    source.write_bytes(b"input")
    (tmp_path / "soft.wav").symlink_to(source)
    (tmp_path / "hard.wav").hardlink_to(source)
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in (
        "in.wav",
        "./in.wav",
        "folder/../in.wav",
        "soft.wav",
        "hard.wav",
        str(source),
    ):
        with pytest.raises(AudioFileError, match="is the input"):
            Replacement(Path(name), overwrite=True, inputs=[source])
    assert source.read_bytes() == b"input"


def test_an_input_that_is_missing_is_recognised_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="is the input"):
        Replacement(tmp_path / "x.wav", inputs=[tmp_path / "y" / ".." / "x.wav"])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "out.wav"
    real.write_bytes(b"old")
    link = tmp_path / "link.wav"
    link.symlink_to(real)
    with Replacement(link, overwrite=True) as new:
        new.file.write(b"new")
        new.commit()
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="must be a file to write, got a folder"):
        Replacement(tmp_path, overwrite=True)


@pytest.mark.parametrize("folder", ["missing", "/proc"])
def test_places_that_cannot_be_written_to(tmp_path: Path, folder: str) -> None:
    if not Path("/proc").is_dir():
        pytest.skip("no /proc on this system")
    target = tmp_path / folder / "out.wav"
    with pytest.raises(AudioFileError, match="cannot be written: "), Replacement(target):
        pass


def test_leftovers_of_a_killed_writer_are_found(tmp_path: Path) -> None:
    target = tmp_path / "my song [1].wav"
    new = Replacement(target, token="abc")
    new.path.touch()
    (tmp_path / ".my song [1].semeq-part-xyz.wav").touch()
    assert leftovers(target, "abc") == [new.path]


def test_where_links_are_unknown_a_file_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(one: Path, other: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")  # as FAT says it

    monkeypatch.setattr(os, "link", refuse)
    with Replacement(tmp_path / "out.wav") as new:
        new.file.write(b"content")
        new.commit()
    assert (tmp_path / "out.wav").read_bytes() == b"content"
    assert names(tmp_path) == ["out.wav"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EIO])
def test_no_room_is_one_line_whoever_writes(tmp_path: Path, code: int) -> None:
    target = tmp_path / "out.png"
    target.write_bytes(b"old")

    def fail() -> None:
        with Replacement(target, overwrite=True):
            raise OSError(code, os.strerror(code))

    with pytest.raises(AudioFileError) as caught:
        fail()
    assert str(caught.value) == f"{target} cannot be written: {os.strerror(code).lower()}"
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out.png"]


def test_long_names_have_temporary_names_that_fit(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 240 + ".wav")
    with Replacement(target) as new:
        new.commit()
    assert target.exists()


def test_same_files(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.touch()
    assert is_same_file(one, tmp_path / "." / "one")
    assert not is_same_file(one, tmp_path / "two")
    assert is_same_file(tmp_path / "two", tmp_path / "x" / ".." / "two")


def test_text(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_text(path, "one")
    write_text(path, "zwei ±")
    assert path.read_text(encoding="utf-8") == "zwei ±"
    with pytest.raises(AudioFileError, match="is the input"):
        write_text(path, "three", inputs=[path])
    assert names(tmp_path) == ["report.json"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_content_is_on_the_disk_before_the_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool
) -> None:
    order: list[str] = []
    fsync, replace, link = os.fsync, os.replace, os.link

    def watched_fsync(fd: int) -> None:
        order.append("fsync")
        fsync(fd)

    def watched_replace(one: Path, other: Path) -> None:
        order.append("replace")
        replace(one, other)

    def watched_link(one: Path, other: Path) -> None:
        order.append("replace")
        link(one, other)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    monkeypatch.setattr(os, "link", watched_link)
    with Replacement(tmp_path / "out.wav", overwrite=overwrite) as new:
        new.commit()
    assert order == ["fsync", "replace"]
