"""Checks of ``semeq doctor`` that only read: packages, words, rights, processor, disk, memory, terminal."""

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from semeq.engine.errors import SemeqError
from semeq.presets.library import load_vocabulary
from semeq.presets.remembered import FILE, NOTHING, recall, state_folder
from semeq.realtime.doctor import Finding, note, ok, problem
from semeq.realtime.priority import CONTROL_PRIORITY

#: Said first of all packages.
SHOWN = ("numpy", "numba", "onnxruntime", "sounddevice", "pedalboard")
OLDEST_PYTHON = (3, 11)
#: Less room than this is said, in bytes. A minute of recorded input takes 23 MB.
LITTLE_ROOM = 500_000_000
#: Memory that may be locked, bytes: what JACK's clients lock at the least.
LITTLE_MEMLOCK = 64 << 20
NARROW = 40
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)\s*(?:\[[^]]*])?\s*\(?\s*(?:>=\s*([0-9.]+))?")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def packages(names: Sequence[str] | None = None) -> list[Finding]:
    """Return whether Python and all packages that semeq needs are there and new enough."""
    listed = requires("semeq") or [] if names is None else names
    found, wanting = {}, []
    if sys.version_info < OLDEST_PYTHON:
        wanting.append(("Python", "3.11"))
    for text in listed:
        match = _REQUIREMENT.match(text)
        if match is None or "extra ==" in text:
            continue
        name, least = match[1], match[2] or ""
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
        if found[name] == "missing" or _numbers(found[name]) < _numbers(least):
            wanting.append((name, least))
    if wanting:
        says = ", ".join(
            f"{name} is {found.get(name, platform.python_version())}, {least or 'any'} or newer is needed"
            for name, least in wanting
        )
        mend = "pip install --upgrade " + " ".join(
            f"'{name}>={least}'" if least else name for name, least in wanting
        )
        return [problem("software", says, "parts of semeq will not start", mend)]
    shown = ", ".join(f"{name} {found[name]}" for name in SHOWN if name in found)
    return [
        ok("software", f"semeq {version('semeq')}, Python {platform.python_version()}, {shown}")
    ]


def words() -> list[Finding]:
    """Return whether the vocabulary can be read, one's own words with it."""
    try:
        count = len(load_vocabulary().words)
    except SemeqError as error:
        return [problem("words", str(error), "no recipe can be read", "install semeq again")]
    return [ok("words", f"{count} words")]


def rights() -> list[Finding]:
    """Return whether this user may run threads in real time and lock memory."""
    if not hasattr(os, "sched_setscheduler"):
        return [ok("rights", f"{platform.system()} gives audio threads their priority")]
    import grp
    import resource

    may = _may_run_in_real_time()
    lock = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    may_lock = lock in (-1, resource.RLIM_INFINITY) or lock >= LITTLE_MEMLOCK or os.geteuid() == 0
    names = {group.gr_name for group in grp.getgrall() if group.gr_gid in os.getgroups()}
    groups = sorted(names & {"audio", "realtime", "pipewire", "jackuser"})
    described = f"groups {', '.join(groups)}" if groups else "in no audio group"
    mend = (
        "put '@audio - rtprio 95' and '@audio - memlock unlimited' into "
        "/etc/security/limits.d/audio.conf, 'sudo usermod -aG audio $USER', and log in again"
    )
    if not may:
        return [
            note(
                "rights",
                f"no real-time priority ({described})",
                "the sound may crackle while other programs are busy, but for PipeWire with rtkit",
                mend,
            )
        ]
    if not may_lock:
        return [
            note(
                "rights",
                f"real-time priority, but {lock >> 20} MiB of locked memory ({described})",
                "audio memory may be swapped out on a full machine",
                mend,
            )
        ]
    return [ok("rights", f"real-time priority and locked memory ({described})")]


def _may_run_in_real_time() -> bool:
    """Try it: limits, capabilities and containers all have a say. It is this check's own thread."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(CONTROL_PRIORITY))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except OSError:
        return False
    return True


def processor(system: Path = Path("/sys/devices/system/cpu")) -> list[Finding]:
    """Return whether the processor may run as fast as it can."""
    cores = os.cpu_count() or 1
    governors = set()
    for path in system.glob("cpu[0-9]*/cpufreq/scaling_governor"):
        governors.add(_read(path))
    findings = []
    slow = sorted(governors - {"performance", ""})
    if slow:
        findings.append(
            note(
                "processor",
                f"{cores} cores, governor {', '.join(slow)}",
                "it clocks down between blocks, and the slowest callbacks take longer",
                "sudo cpupower frequency-set -g performance, for as long as you play",
            )
        )
    boost, no_turbo = _read(system / "cpufreq/boost"), _read(system / "intel_pstate/no_turbo")
    if boost == "0" or no_turbo == "1":
        findings.append(
            note(
                "processor",
                "turbo is off",
                "steadier, but slower: less room for plugins and small blocks",
                "leave it, or switch it on in the firmware",
            )
        )
    if cores < 2:
        findings.append(
            note(
                "processor", "one core", "the encoder and the sound share it", "--adapt 0 is safer"
            )
        )
    said = ", ".join(sorted(governors)) or "not told by this machine"
    return findings or [ok("processor", f"{cores} cores, governor {said}")]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def disk(folders: Sequence[Path] | None = None) -> list[Finding]:
    """Return whether there is room where recordings and the state are written."""
    least, where = sys.maxsize, Path()
    for folder in [Path.cwd(), state_folder()] if folders is None else folders:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        free = shutil.disk_usage(folder).free
        if free < least:
            least, where = free, folder
    if least < LITTLE_ROOM:
        return [
            note(
                "disk",
                f"{least / 1e6:.0f} MB free under {where}",
                "recordings end early (a minute takes 23 MB)",
                "make room, or record to another disk",
            )
        ]
    return [ok("disk", f"{least / 1e9:.0f} GB free")]


def memory(folder: Path | None = None) -> list[Finding]:
    """Return whether what the last session left can be taken up; the file is looked at, not touched."""
    folder = folder or state_folder()
    said: list[str] = []
    content = None
    try:
        with tempfile.TemporaryDirectory() as place:
            # a copy, since a damaged file is moved aside when it is read
            shutil.copyfile(folder / FILE, Path(place) / FILE)
            knows = load_vocabulary().words.__contains__
            content = recall(said.append, knows, Path(place))
    except FileNotFoundError:
        return _writable(folder) or [ok("memory", "nothing is remembered yet")]
    except OSError as error:
        said.append(f"it cannot be read ({error.strerror or error})")
    if said:
        means = "the next session starts from the defaults" if content in (NOTHING, None) else ""
        line = said[0].split(": starting from")[0]
        return [note("memory", f"{folder / FILE}: {line}", means, "semeq live --fresh starts anew")]
    return _writable(folder) or [ok("memory", f"the last session, in {folder / FILE}")]


def _writable(folder: Path) -> list[Finding]:
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            return []
    except OSError:
        pass
    return [
        note(
            "memory",
            f"{folder} cannot be written",
            "no session is remembered",
            "set SEMEQ_STATE_DIR to a folder of yours",
        )
    ]


def terminal() -> list[Finding]:
    """Return whether the live view can be drawn."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "") == "dumb":
        means = "'semeq live' prints a line a second instead of the view"
        return [note("terminal", "standard error is no screen", means, "run it in a terminal")]
    size = shutil.get_terminal_size()
    encoding = (sys.stderr.encoding or "").lower()
    if not encoding.startswith("utf"):
        means = "the view is drawn in plain characters"
        return [note("terminal", f"encoding {encoding}", means, "use a UTF-8 locale")]
    if size.columns < NARROW:
        means = "the view is cut"
        return [note("terminal", f"{size.columns} columns", means, "make the window wider")]
    return [ok("terminal", f"{size.columns} × {size.lines}, {encoding}")]
