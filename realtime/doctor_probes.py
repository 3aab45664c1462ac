"""Checks of ``semeq doctor`` that load libraries of others; each runs in a process of its own.

``python -m semeq.realtime.doctor_probes NAME`` prints the findings as one line of JSON. Whoever runs it gives
it a time: PortAudio waits for a JACK server that hangs, and a broken driver takes its process with it.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.resources import files
from pathlib import Path

from semeq.engine.errors import DeviceError, MissingPackageError, SemeqError
from semeq.presets.shipped_model import MODEL_FOLDER
from semeq.realtime.doctor import Finding, note, ok, problem

NO_LIVE = "'semeq live' does not start; files render without it"
NO_EAR = "the sound has no say (--adapt 0); words do their typical moves"


def sound() -> list[Finding]:
    """Look for PortAudio, its audio systems, a JACK server and devices to play with."""
    from semeq.realtime import devices

    try:
        sd = devices.portaudio()
        devices.refresh("semeq-doctor")
        found, apis = devices.devices(), devices.apis()
    except (MissingPackageError, DeviceError) as error:
        what, _, mend = str(error).partition(": ")
        return [problem("PortAudio", what, NO_LIVE, mend), *_server(())]
    release = str(sd.get_portaudio_version()[1]).split(",")[0]
    findings = [ok("PortAudio", f"{release}: {', '.join(apis) or 'no audio system'}")]
    findings += _server(apis)
    ins, outs = (
        [d for d in found if (d.inputs if kind == "in" else d.outputs)] for kind in ("in", "out")
    )
    if not ins or not outs:
        lacks = " and no ".join(
            name for name, there in (("input", ins), ("output", outs)) if not there
        )
        mend = "plug an interface in, or start JACK or PipeWire; on Linux, join the group audio"
        return [*findings, problem("devices", f"no {lacks} device", NO_LIVE, mend)]
    chosen = [next((d for d in found if getattr(d, k)), None) for k in _DEFAULTS]
    names = " → ".join(f"{d.name} ({d.fs:g} Hz)" for d in chosen if d is not None)
    findings.append(ok("devices", f"{len(ins)} in, {len(outs)} out; by default {names}"))
    return findings


_DEFAULTS = ("is_default_input", "is_default_output")


def _server(apis: tuple[str, ...]) -> list[Finding]:
    from semeq.realtime import jack

    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    jack.hush()
    client = jack.connect("semeq-doctor-look")
    if client is None:
        return [_no_server()] if sys.platform == "linux" or jack.is_installed() else []
    with client:
        name = "PipeWire, as JACK" if "pipewire" in _mapped() else "a JACK server"
        says = f"{name} at {client.fs:g} Hz, block {client.blocksize}"
        if not client.is_realtime:
            means = "it has no real-time priority: the sound may crackle under load"
            return [note("JACK", says, means, "start it with -R, see rights")]
    if apis and not any("JACK" in api for api in apis):
        means = "this PortAudio was built without JACK and goes past it"
        return [note("JACK", says, means, "install a PortAudio with JACK")]
    return [ok("JACK", f"{says}, real-time")]


def _no_server() -> Finding:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime, "pipewire-0").exists():
        return note(
            "JACK",
            "PipeWire runs, but not as JACK",
            "sound goes through ALSA, with more latency",
            "install pipewire-jack, or start with 'pw-jack semeq live'",
        )
    means = "devices are opened directly, and no other program can use them meanwhile"
    return note("JACK", "no JACK or PipeWire server answers", means, "start one, or leave it so")


def _mapped() -> str:
    try:
        return Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def midi() -> list[Finding]:
    """Look for MIDI systems and ports."""
    means = "no controller can be used; keys work"
    from semeq.realtime.midi_ports import list_ports

    try:
        ports, missing = list_ports()
    except (MissingPackageError, DeviceError) as error:
        what, _, mend = str(error).partition(": ")
        return [note("MIDI", what, means, mend)]
    lacking = f" ({'; '.join(missing)})" if missing else ""
    if not ports:
        mend = "plug a controller in; '--midi virtual' makes a port for other programs"
        return [note("MIDI", f"no port{lacking}", means, mend)]
    names = ", ".join(f"{port.name} [{port.api}]" for port in ports[:4])
    more = f" and {len(ports) - 4} more" if len(ports) > 4 else ""
    return [ok("MIDI", f"{len(ports)} ports: {names}{more}{lacking}")]


def kernels() -> list[Finding]:
    """Look whether the compiled audio path can be kept, and whether it is there."""
    try:
        from semeq.engine import jit

        folder = jit.cache_folder()
        is_warm = jit.is_compiled("callback")
    except (ImportError, RuntimeError) as error:
        mend = "pip install --force-reinstall numba llvmlite"
        return [problem("kernels", f"the compiler does not start: {error}", "no sound", mend)]
    means = (
        "every start compiles anew: 'semeq live' sounds after half a minute instead of two seconds"
    )
    mend = "set NUMBA_CACHE_DIR to a folder that can be written"
    if folder is None:
        return [note("kernels", "no folder for compiled code can be made", means, mend)]
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        says = f"{folder} cannot be written ({error.strerror or error})"
        return (
            [ok("kernels", f"compiled; {says}")]
            if is_warm
            else [note("kernels", says, means, mend)]
        )
    if not is_warm:
        means = "the first 'semeq live' compiles for half a minute, once"
        return [note("kernels", f"not compiled yet, in {folder}", means, "start it before the gig")]
    return [ok("kernels", f"compiled, in {folder}")]


def model(folder: Path | None = None) -> list[Finding]:
    """Load the model and ask it about the sound that it was asked about when it was made."""
    from semeq.engine.model_check import TOLERANCE, deviation
    from semeq.engine.model_file import load_model

    folder = folder or Path(str(files("semeq.presets") / MODEL_FOLDER))
    start = time.perf_counter()
    try:
        off = deviation(load_model(folder), folder)
    except SemeqError as error:
        mend = str(error).rpartition(": ")[2] if isinstance(error, MissingPackageError) else ""
        return [problem("model", str(error), NO_EAR, mend or "install semeq again")]
    took_s = time.perf_counter() - start
    if off is None:
        return [note("model", "loads; it has no stored answers", "it cannot be compared")]
    if not off <= TOLERANCE:
        says = f"its answers are {off:.2g} from those it was made with"
        means = "it hears something else than it was judged for"
        return [problem("model", says, means, "install semeq and onnxruntime again")]
    return [ok("model", f"loads and answers as stored, within {off:.0e} ({took_s:.1f} s)")]


PROBES: dict[str, Callable[[], list[Finding]]] = {
    "sound": sound,
    "midi": midi,
    "kernels": kernels,
    "model": model,
}


def main(name: str) -> None:
    """Run one check and print what it found; nothing else gets on standard output."""
    with redirect_stdout(sys.stderr):
        findings = PROBES[name]()
    sys.stdout.write(json.dumps([finding.as_dict() for finding in findings]) + "\n")
    sys.stdout.flush()
    # past the farewells of the libraries: some wait for servers that hang
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
