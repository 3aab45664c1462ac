"""Other programs' readings of the files that semeq writes, made from their documents and not from our code.

Each reader returns the response in dB, preamp included, that the program would have at a sample rate.
"""

import json
import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

Numbers = npt.NDArray[np.float64]


def biquad_db(kind: str, fc: float, gain: float, q: float, fs: float, freqs: Numbers) -> Numbers:
    """Return the audio-EQ cookbook's filter, from its coefficients, in dB."""
    a = 10.0 ** (gain / 40.0)
    w0 = 2.0 * math.pi * fc / fs
    cos, alpha = math.cos(w0), math.sin(w0) / (2.0 * q)
    if kind == "peak":
        b = [1 + alpha * a, -2 * cos, 1 - alpha * a]
        d = [1 + alpha / a, -2 * cos, 1 - alpha / a]
    else:
        s = 1.0 if kind == "low" else -1.0
        root = 2.0 * math.sqrt(a) * alpha
        b = [
            a * ((a + 1) - s * (a - 1) * cos + root),
            s * 2 * a * ((a - 1) - s * (a + 1) * cos),
            a * ((a + 1) - s * (a - 1) * cos - root),
        ]
        d = [
            (a + 1) + s * (a - 1) * cos + root,
            -s * 2 * ((a - 1) + s * (a + 1) * cos),
            (a + 1) + s * (a - 1) * cos - root,
        ]
    z = np.exp(-2j * np.pi * freqs / fs)
    gains = (b[0] + b[1] * z + b[2] * z**2) / (d[0] + d[1] * z + d[2] * z**2)
    level: Numbers = 20.0 * np.log10(np.abs(gains))
    return level


def equalizer_apo(text: str, fs: float, freqs: Numbers) -> Numbers:
    """Read as Equalizer APO does: patterns for each part, three decimals are thousands."""
    total = np.zeros_like(freqs)
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        command, _, rest = line.partition(":")
        if command == "Preamp":
            found = re.match(r"\s*([-+0-9.eE]+)\s*dB", rest)
            assert found
            total += float(found.group(1))
            continue
        assert command.startswith("Filter"), line
        kind = re.match(r"\s*ON\s+([A-Za-z]+)", rest)
        fc = re.search(r"\s+Fc\s*([-+0-9.eE]+)\s*Hz", rest)
        gain = re.search(r"\s+Gain\s*([-+0-9.eE]+)\s*dB", rest)
        q = re.search(r"\s+Q\s*([-+0-9.eE]+)", rest)
        assert kind is not None, line
        assert fc is not None, line
        assert gain is not None, line
        assert q is not None, line
        freq = float(fc.group(1))
        if len(fc.group(1)) >= 5 and fc.group(1)[-4] == ".":
            freq *= 1000.0
        shape = {"PK": "peak", "LSC": "low", "HSC": "high"}[kind.group(1)]
        total += biquad_db(shape, freq, float(gain.group(1)), float(q.group(1)), fs, freqs)
    return total


def pipewire_param_eq(text: str, fs: float, freqs: Numbers) -> Numbers:
    """Read as the first PipeWire that read AutoEq's text: fields of fixed width, whole Hz."""
    first, *rest = text.splitlines()
    preamp = re.fullmatch(r"\S+ (\S{1,6}) \S+", first)
    assert preamp, first
    total = np.full_like(freqs, float(preamp.group(1)))
    for line in rest:
        found = re.fullmatch(
            r"\S+ \d+: (ON|OFF) (PK|LSC|HSC) \S+ (\d{1,5}) \S+ \S+ (\S{1,6}) \S+ \S (\S{1,6})", line
        )
        assert found, line
        shape = {"PK": "peak", "LSC": "low", "HSC": "high"}[found.group(2)]
        fc, gain, q = (float(found.group(k)) for k in (3, 4, 5))
        total += biquad_db(shape, fc, gain, q, fs, freqs)
    return total


def room_eq_wizard(text: str, fs: float, freqs: Numbers) -> Numbers:
    """Read as REW writes its own generic equaliser; the preamp stands in the notes."""
    lines = text.splitlines()
    assert lines[0] == "Filter Settings file"
    assert "Equaliser: Generic" in lines
    preamp = re.search(r"preamp (-?[\d.]+) dB$", next(x for x in lines if x.startswith("Notes:")))
    assert preamp
    total = np.full_like(freqs, float(preamp.group(1)))
    for line in (x for x in lines if re.match(r"Filter +\d", x)):
        found = re.fullmatch(
            r"Filter +\d+: ON  (PK|LS Q|HS Q) +Fc +([\d.]+) Hz  Gain +(-?[\d.]+) dB  Q +([\d.]+)",
            line,
        )
        assert found, line
        shape = {"PK": "peak", "LS Q": "low", "HS Q": "high"}[found.group(1)]
        fc, gain, q = (float(found.group(k)) for k in (2, 3, 4))
        total += biquad_db(shape, fc, gain, q, fs, freqs)
    return total


def easyeffects_bands(text: str) -> tuple[float, list[dict[str, Any]]]:
    """Return input gain and bands of a preset, checked against EasyEffects' own ranges and labels."""
    output = json.loads(text)["output"]
    assert output["plugins_order"] == ["equalizer#0"]
    assert output["blocklist"] == []
    eq = output["equalizer#0"]
    assert (eq["mode"], eq["bypass"], eq["split-channels"]) == ("IIR", False, False)
    assert (eq["output-gain"], eq["balance"], eq["pitch-left"]) == (0.0, 0.0, 0.0)
    assert -36.0 <= eq["input-gain"] <= 36.0
    assert eq["left"] == eq["right"]
    assert set(eq["left"]) == {f"band{n}" for n in range(eq["num-bands"])}
    assert 1 <= eq["num-bands"] <= 32
    bands = [eq["left"][f"band{n}"] for n in range(eq["num-bands"])]
    for band in bands:
        assert band["type"] in ("Bell", "Lo-shelf", "Hi-shelf")
        assert (band["mode"], band["slope"]) == ("APO (DR)", "x1")
        assert (band["mute"], band["solo"]) == (False, False)
        assert 10.0 <= band["frequency"] <= 24_000.0
        assert -36.0 <= band["gain"] <= 36.0
        assert 0.0 <= band["q"] <= 100.0
    return eq["input-gain"], bands


def easyeffects(text: str, fs: float, freqs: Numbers) -> Numbers:
    """Read as EasyEffects; ``APO (DR)`` is the cookbook (measured: see test_export_programs)."""
    gain, bands = easyeffects_bands(text)
    total = np.full_like(freqs, gain)
    for band in bands:
        shape = {"Bell": "peak", "Lo-shelf": "low", "Hi-shelf": "high"}[band["type"]]
        total += biquad_db(shape, band["frequency"], band["gain"], band["q"], fs, freqs)
    return total


def camilladsp(text: str, fs: float, freqs: Numbers) -> Numbers:
    """Read as CamillaDSP 4, which refuses keys it does not know."""
    config = yaml.safe_load(text)
    assert set(config) == {"devices", "filters", "pipeline"}
    devices = config["devices"]
    assert set(devices) == {"samplerate", "chunksize", "capture", "playback"}
    assert devices["samplerate"] == fs
    for side, kind in (("capture", "Stdin"), ("playback", "Stdout")):
        assert devices[side] == {"type": kind, "channels": 2, "format": "F32_LE"}
    (step,) = config["pipeline"]
    assert set(step) == {"type", "names"}
    assert step["type"] == "Filter"
    assert sorted(step["names"]) == sorted(config["filters"])
    total = np.zeros_like(freqs)
    for name in step["names"]:
        entry = config["filters"][name]
        assert set(entry) == {"type", "parameters"}
        parameters = entry["parameters"]
        if entry["type"] == "Gain":
            total += parameters["gain"]
            assert parameters == {"gain": parameters["gain"], "inverted": False, "mute": False}
            continue
        assert entry["type"] == "Biquad"
        assert set(parameters) == {"type", "freq", "gain", "q"}
        assert all(isinstance(parameters[key], float) for key in ("freq", "gain", "q"))
        assert parameters["freq"] < fs / 2.0
        shape = {"Peaking": "peak", "Lowshelf": "low", "Highshelf": "high"}[parameters["type"]]
        total += biquad_db(
            shape, parameters["freq"], parameters["gain"], parameters["q"], fs, freqs
        )
    return total


def spa_json(text: str) -> dict[str, Any]:
    """Return what relaxed SPA-JSON says: comments, ``=`` for ``:``, no commas, bare words."""
    plain = "\n".join(re.sub(r"^\s*#.*", "", line) for line in text.splitlines())
    tokens = re.findall(r'"(?:\\.|[^"\\])*"|[{}\[\]]|[^\s{}\[\]",:=]+', plain)
    position = 0

    def value() -> Any:  # noqa: ANN401
        nonlocal position
        token = tokens[position]
        position += 1
        if token == "[":
            items = []
            while tokens[position] != "]":
                items.append(value())
            position += 1
            return items
        if token == "{":
            return members("}")
        if token.startswith('"'):
            return json.loads(token)
        try:
            return float(token)
        except ValueError:
            return {"true": True, "false": False}.get(token, token)

    def members(end: str) -> dict[str, Any]:
        nonlocal position
        found: dict[str, Any] = {}
        while position < len(tokens) and tokens[position] != end:
            key = tokens[position].strip('"')
            position += 1
            assert key not in found, key
            found[key] = value()
        position += 1
        return found

    return members("")


def pipewire(text: str, fs: float, freqs: Numbers) -> Numbers:
    """Read as PipeWire's filter-chain: follow the links from node to node."""
    (module,) = spa_json(text)["context.modules"]
    assert module["name"] == "libpipewire-module-filter-chain"
    arguments = module["args"]
    assert arguments["audio.rate"] == fs
    assert (arguments["audio.channels"], arguments["audio.position"]) == (2.0, ["FL", "FR"])
    assert arguments["capture.props"]["media.class"] == "Audio/Sink"
    graph = arguments["filter.graph"]
    nodes = {node["name"]: node for node in graph["nodes"]}
    assert len(nodes) == len(graph["nodes"])
    after = {link["output"]: link["input"] for link in graph["links"]}
    assert len(after) == len(graph["links"]) == len(nodes) - 1
    name = next(n for n in nodes if f"{n}:In" not in after.values())
    total, seen = np.zeros_like(freqs), set()
    while True:
        seen.add(name)
        node = nodes[name]
        assert node["type"] == "builtin"
        control = node["control"]
        assert set(control) == {"Freq", "Q", "Gain"}
        shape = {"bq_peaking": "peak", "bq_lowshelf": "low", "bq_highshelf": "high"}[node["label"]]
        if shape == "high" and control["Freq"] == 0.0:
            total += control["Gain"]
        else:
            total += biquad_db(shape, control["Freq"], control["Gain"], control["Q"], fs, freqs)
        if f"{name}:Out" not in after:
            break
        name = after[f"{name}:Out"].removesuffix(":In")
    assert seen == set(nodes)
    return total
