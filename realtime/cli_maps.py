"""``semeq midi maps``, ``show`` and ``check``: the maps that say what a controller moves."""

import json
from typing import Any

import click

from semeq.engine.errors import DataError, SemeqError, UsageError
from semeq.presets.midi_bindings import LIMITS, Binding, Encoding, MidiMap
from semeq.presets.midi_maps import available_maps, load_map, map_text, user_maps_dir


def say(message: str) -> None:
    """Print one line for people."""
    click.echo(f"semeq: {' '.join(message.split())}", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def maps(as_json: bool) -> None:
    """List the maps: ours, and your own."""
    listed = []
    for info in available_maps():
        entry: dict[str, Any] = {"name": info.name, "origin": info.origin, "path": info.path}
        try:
            midi_map = load_map(info.path)
            entry |= {"description": midi_map.description, "words": list(midi_map.words)}
        except DataError as error:
            entry["error"] = str(error)
        listed.append(entry)
    if as_json:
        click.echo(json.dumps(listed, ensure_ascii=False, indent=1))
        return
    for entry in listed:
        what = entry.get("error") or f"{entry['description']} ({', '.join(entry['words'])})"
        click.echo(f"{entry['name']:<12} {entry['origin']:<8} {what}")
    click.echo(f"semeq: your own maps belong in {user_maps_dir()}", err=True)


@click.command()
@click.argument("map_", metavar="MAP")
@click.option("--json", "as_json", is_flag=True, help="Print the bindings as JSON.")
@click.option(
    "--toml", "as_toml", is_flag=True, help="Print the file itself, to begin your own with."
)
def show(map_: str, as_json: bool, as_toml: bool) -> None:
    """Show what each controller moves in MAP, a name or a file."""
    _, path, text = map_text(map_)
    midi_map = load_map(map_)
    if as_json and as_toml:
        raise UsageError("--json and --toml must not come together")
    if as_toml:
        click.echo(text, nl=False)
    elif as_json:
        entries = [_as_dict(binding) for binding in midi_map.bindings]
        listed = {
            "name": midi_map.name,
            "description": midi_map.description,
            "path": path,
            "bindings": entries,
        }
        click.echo(json.dumps(listed, ensure_ascii=False, indent=1))
    else:
        click.echo(f"{midi_map.name}: {midi_map.description}".rstrip(": "))
        for binding in midi_map.bindings:
            click.echo(f"  {row(binding)}")
    for line in _unknown(midi_map):
        say(line)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check(files: tuple[str, ...], as_json: bool) -> None:
    """Check map files; exit code 1 when one cannot be used."""
    findings: list[dict[str, Any]] = []
    for file in files:
        try:
            midi_map = load_map(file)
        except DataError as error:
            findings.append({"file": file, "ok": False, "error": str(error), "warnings": []})
            continue
        findings.append(
            {
                "file": file,
                "ok": True,
                "bindings": len(midi_map.bindings),
                "warnings": _unknown(midi_map),
            }
        )
    bad = sum(not finding["ok"] for finding in findings)
    if as_json:
        click.echo(json.dumps(findings, ensure_ascii=False, indent=1))
    for finding in findings:
        if finding["ok"] and not as_json:
            click.echo(f"{finding['file']}: fine, {finding['bindings']} bindings")
        for line in [finding["error"]] if not finding["ok"] else finding["warnings"]:
            say(line)
    if bad:
        raise DataError(f"{bad} of {len(findings)} maps cannot be used")


def _unknown(midi_map: MidiMap) -> list[str]:
    """Return a line for each word of the map that is in no vocabulary."""
    from semeq.presets.library import load_vocabulary

    lines = []
    for word in midi_map.words:
        try:
            load_vocabulary().get(word)
        except SemeqError as error:
            lines.append(f"{midi_map.source or midi_map.name}: {error}")
    return lines


def row(binding: Binding) -> str:
    """Return a binding as one line for people."""
    parts = [f"CC {binding.cc:3d}", f"{binding.label:<10}"]
    if binding.control in LIMITS:
        ends = ("lowest", binding.low), ("highest", binding.high)
        parts.append(" to ".join(name if end is None else f"{end:g}" for name, end in ends))
    else:
        parts.append(binding.press.value if binding.control.is_switch else "press")
    if binding.encoding is not Encoding.ABSOLUTE:
        parts.append(binding.encoding.value)
    if binding.encoding.is_relative and binding.step is not None:
        parts.append(f"step {binding.step:g}")
    if binding.channel is not None:
        parts.append(f"channel {binding.channel}")
    return "  ".join(parts).rstrip()


def _as_dict(binding: Binding) -> dict[str, Any]:
    entry: dict[str, Any] = {"cc": binding.cc, "control": binding.control.value}
    if binding.target:
        entry["word" if binding.word else "param"] = binding.target
    entry |= {"channel": binding.channel, "encoding": binding.encoding.value}
    if binding.control in LIMITS:
        entry |= {"min": binding.low, "max": binding.high, "curve": binding.curve.value}
        entry |= {"detent": binding.detent, "takeover": binding.takeover.value}
    if binding.encoding.is_relative:
        entry["step"] = binding.step
    if binding.control.is_switch:
        entry |= {"press": binding.press.value, "invert": binding.invert}
    return entry
