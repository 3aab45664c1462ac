"""VST3 plugins for the tests: built once from ``tests/vst3`` and Debian's DPF, kept outside the tree.

``gain``, ``gain_mono``, ``rogue`` and ``equaliser`` are our own; ``three_band`` is DISTRHO's 3 Band EQ:
its sources (LGPL) come out of Debian's tarball, without its picture, so that neither X11 nor GL is needed.
"""

import fcntl
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCES = Path(__file__).with_name("vst3")
DPF = Path("/usr/share/dpf/distrho")
CXX = ("g++", "-O1", "-shared", "-fPIC", "-std=gnu++11", "-fvisibility=hidden", "-w", f"-I{DPF}")
MONO = ('-DDISTRHO_PLUGIN_NAME="Test Gain Mono"', "-DUNIQUE=d_cconst('s','m','q','1')")
OURS = {
    "gain": ("gain.cpp", ()),
    "gain_mono": ("gain.cpp", ("-DCHANNELS=1", *MONO)),
    "rogue": ("rogue.cpp", ()),
    "equaliser": ("equaliser.cpp", ()),
}
BROKEN = {"no_factory": (), "crashes": ("-DCRASHES",), "hangs": ("-DHANGS",)}
TARBALL = "dpf-plugins_1.6+ds.orig.tar.xz"
POOL = "http://deb.debian.org/debian/pool/main/d/dpf-plugins/"
FOLDER = "dpf-plugins-1.6+ds/plugins/3BandEQ/"
#: What is wanted of the tarball, and its SHA-256.
THREE_BAND = {
    "DistrhoPluginInfo.h": "0b201bd2cb68dd364c6816d85cccb516583652a05656898144f4bc2d6abde546",
    "DistrhoPlugin3BandEQ.hpp": "ccaf4471181564af0fe0a18ea428e062d63b1c6eb0e3d70646ebed74c84f38c0",
    "DistrhoPlugin3BandEQ.cpp": "5dbc5ce1a284590ef344d690d9c8c33d460badbd4a89b8e1cfbf78b86cc4823c",
}
TIMEOUT_S = 120.0
#: Why a plugin could not be made: not tried twice.
_failed: dict[str, str] = {}


def _cache() -> Path:
    """Return the folder for what the present sources make."""
    digest = hashlib.sha256(platform.machine().encode())
    for path in (Path(__file__), *sorted(SOURCES.iterdir())):
        digest.update(path.read_bytes())
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "semeq-tests" / f"vst3-{digest.hexdigest()[:16]}"


def _binary(bundle: Path) -> Path:
    return bundle / "Contents" / f"{platform.machine()}-linux" / f"{bundle.stem}.so"


def _compile(bundle: Path, *arguments: str) -> None:
    out = _binary(bundle)
    out.parent.mkdir(parents=True)
    done = subprocess.run(
        [*arguments, "-o", str(out)], capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert done.returncode == 0, f"{bundle.name} does not compile: {done.stderr[-2000:]}"


def _mirror() -> str:
    """Return the folder of the package pool that this machine's apt uses."""
    command = ["apt-get", "download", "--print-uris", "dpf-source"]
    said = subprocess.run(command, capture_output=True, text=True, cwd="/").stdout
    uri = said.partition("'")[2].partition("'")[0]
    return uri.rpartition("/")[0] + "/" if uri.startswith("http") else POOL


def _fetch(folder: Path) -> None:
    """Write the sources of 3 Band EQ: the first megabytes of the tarball hold them."""
    missing = set(THREE_BAND)
    with (
        urllib.request.urlopen(_mirror() + TARBALL, timeout=30.0) as answer,
        tarfile.open(fileobj=answer, mode="r|xz") as tarball,
    ):
        for member in tarball:
            name = member.name.removeprefix(FOLDER)
            content = tarball.extractfile(member) if name in missing else None
            if content is not None:
                data = content.read()
                assert hashlib.sha256(data).hexdigest() == THREE_BAND[name], f"{name} has changed"
                (folder / name).write_bytes(data)
                missing.discard(name)
            if not missing:
                return
    raise AssertionError(f"{TARBALL} lacks {', '.join(sorted(missing))}")


def _make_three_band(bundle: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            _fetch(folder)
        except OSError as error:
            _failed[bundle.stem] = f"the sources of 3 Band EQ cannot be had from Debian: {error}"
            pytest.skip(_failed[bundle.stem])
        info = folder / "DistrhoPluginInfo.h"
        text = info.read_text(encoding="utf-8")
        info.write_text(text.replace("HAS_UI        1", "HAS_UI 0"), encoding="utf-8")
        _compile(
            bundle,
            *(*CXX, "-DDISTRHO_PLUGIN_TARGET_VST3", f"-I{folder}"),
            *(str(folder / "DistrhoPlugin3BandEQ.cpp"), str(DPF / "DistrhoPluginMain.cpp")),
        )


def _make_ours(name: str, bundle: Path) -> None:
    source, defined = OURS[name]
    target = ("-DDISTRHO_PLUGIN_TARGET_VST3", f"-I{SOURCES}", *defined)
    _compile(bundle, *CXX, *target, str(SOURCES / source))


def _make_broken(name: str, bundle: Path) -> None:
    _compile(bundle, "cc", "-shared", "-fPIC", *BROKEN[name], str(SOURCES / "broken.c"))


@functools.cache
def plugin(name: str) -> Path:
    """Return the bundle of a test plugin, built if need be; skip the test where it cannot be built."""
    if sys.platform != "linux":
        pytest.skip("the test plugins are built on Linux only")
    if name in _failed:
        pytest.skip(_failed[name])
    make: Callable[[Path], None]
    if name in BROKEN:
        needs, make = ("cc",), functools.partial(_make_broken, name)
    else:
        needs = ("g++",)
        make = _make_three_band if name == "three_band" else functools.partial(_make_ours, name)
        if not DPF.is_dir():
            pytest.skip("DPF is not installed: apt-get install dpf-source (make system does it)")
    for tool in needs:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: apt-get install g++ (make system does it)")
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    bundle = cache / f"{name}.vst3"
    with (cache / "lock").open("w") as lock:  # two runs at once build each plugin once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not bundle.is_dir():
            fresh = Path(tempfile.mkdtemp(dir=cache)) / bundle.name
            try:
                make(fresh)
                fresh.rename(bundle)
            finally:
                shutil.rmtree(fresh.parent, ignore_errors=True)
    return bundle
