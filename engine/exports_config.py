"""Equaliser settings as configuration files: EasyEffects, CamillaDSP and PipeWire.

What was learned from the programs themselves
----------------------------------------------
- EasyEffects runs the equaliser of LSP Plugins, whose mode ``APO (DR)`` is the cookbook to 0.001 dB; its
  default ``RLC (BT)`` gives the same numbers another meaning (up to 1.9 dB apart).
- CamillaDSP's ``Lowshelf``, ``Peaking`` and ``Highshelf`` with ``q`` are the cookbook's.
- So are PipeWire's ``bq_lowshelf``, ``bq_peaking`` and ``bq_highshelf``, but old versions (0.3.65 was
  measured) take every shelf for one with a q of 1/√2: no other is written. A high shelf at 0 Hz is a plain
  gain, which every version has.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from semeq.engine.exports import ANY, Demands, Portable
from semeq.engine.exports_text import comment, one_line
from semeq.engine.settings import Kind

EASYEFFECTS, CAMILLADSP = ANY, ANY
PIPEWIRE = Demands(shelf_q=0.7071)

_EASYEFFECTS = {Kind.LOW_SHELF: "Lo-shelf", Kind.PEAK: "Bell", Kind.HIGH_SHELF: "Hi-shelf"}
_CAMILLADSP = {Kind.LOW_SHELF: "Lowshelf", Kind.PEAK: "Peaking", Kind.HIGH_SHELF: "Highshelf"}
_PIPEWIRE = {
    Kind.LOW_SHELF: "bq_lowshelf",
    Kind.PEAK: "bq_peaking",
    Kind.HIGH_SHELF: "bq_highshelf",
}


def easyeffects(eq: Portable, about: Sequence[str] = ()) -> str:
    """Return an output preset of EasyEffects, for its folder ``output``."""
    channel = {
        f"band{n}": {
            "frequency": band.freq_hz,
            "gain": band.gain_db,
            "mode": "APO (DR)",
            "mute": False,
            "q": band.q,
            "slope": "x1",
            "solo": False,
            "type": _EASYEFFECTS[band.kind],
            "width": 4.0,
        }
        for n, band in enumerate(eq.bands)
    }
    equaliser: dict[str, Any] = {
        "balance": 0.0,
        "bypass": False,
        "input-gain": eq.preamp_db,
        "left": channel,
        "mode": "IIR",
        "num-bands": len(eq.bands),
        "output-gain": 0.0,
        "pitch-left": 0.0,
        "pitch-right": 0.0,
        "right": channel,
        "split-channels": False,
    }
    content = {
        "output": {"blocklist": [], "equalizer#0": equaliser, "plugins_order": ["equalizer#0"]}
    }
    return json.dumps(content, indent=4) + "\n"


def camilladsp(eq: Portable, about: Sequence[str] = ()) -> str:
    """Return a configuration of CamillaDSP 4: from standard input to standard output, all channels."""
    names = ["preamp", *(f"band_{n}" for n in range(1, len(eq.bands) + 1))]
    filters = [
        "  preamp:\n    type: Gain\n    parameters:\n"
        f"      gain: {eq.preamp_db}\n      inverted: false\n      mute: false\n"
    ]
    filters += [
        f"  {name}:\n    type: Biquad\n    parameters:\n      type: {_CAMILLADSP[band.kind]}\n"
        f"      freq: {band.freq_hz}\n      gain: {band.gain_db}\n      q: {band.q}\n"
        for name, band in zip(names[1:], eq.bands, strict=True)
    ]
    devices = (
        "# Put your own devices here; filters and pipeline stay as they are (version 3: FLOAT32LE).\n"
        f"devices:\n  samplerate: {round(eq.fs)}\n  chunksize: 1024\n"
        "  capture:\n    type: Stdin\n    channels: 2\n    format: F32_LE\n"
        "  playback:\n    type: Stdout\n    channels: 2\n    format: F32_LE\n"
    )
    steps = "".join(f"      - {name}\n" for name in names)
    pipeline = f"pipeline:\n  - type: Filter\n    names:\n{steps}"
    return f"{comment(about)}---\n{devices}\nfilters:\n{''.join(filters)}\n{pipeline}"


def pipewire(eq: Portable, about: Sequence[str] = ()) -> str:
    """Return a drop-in for ``pipewire.conf.d``: a sink whose sound goes through the filters."""
    title = json.dumps(one_line(about[0]) if about else "semeq", ensure_ascii=False)
    names = ["preamp", *(f"band_{n}" for n in range(1, len(eq.bands) + 1))]
    nodes = [_node("preamp", "bq_highshelf", 0.0, 1.0, eq.preamp_db)]
    nodes += [
        _node(name, _PIPEWIRE[band.kind], band.freq_hz, band.q, band.gain_db)
        for name, band in zip(names[1:], eq.bands, strict=True)
    ]
    links = [
        f'                    {{ output = "{one}:Out" input = "{other}:In" }}\n'
        for one, other in pairwise(names)
    ]
    return (
        comment(about)
        + "context.modules = [\n"
        + "    {   name = libpipewire-module-filter-chain\n"
        + "        args = {\n"
        + f"            node.description = {title}\n"
        + f"            media.name = {title}\n"
        + "            filter.graph = {\n"
        + f"                nodes = [\n{''.join(nodes)}                ]\n"
        + f"                links = [\n{''.join(links)}                ]\n"
        + "            }\n"
        + "            audio.channels = 2\n"
        + "            audio.position = [ FL FR ]\n"
        + f"            audio.rate = {round(eq.fs)}\n"
        + "            capture.props = {\n"
        + '                node.name = "effect_input.semeq"\n'
        + "                media.class = Audio/Sink\n"
        + "            }\n"
        + "            playback.props = {\n"
        + '                node.name = "effect_output.semeq"\n'
        + "                node.passive = true\n"
        + "            }\n"
        + "        }\n"
        + "    }\n"
        + "]\n"
    )


def _node(name: str, label: str, freq_hz: float, q: float, gain_db: float) -> str:
    control = f'{{ "Freq" = {freq_hz} "Q" = {q} "Gain" = {gain_db} }}'
    return f"                    {{ type = builtin name = {name} label = {label} control = {control} }}\n"
