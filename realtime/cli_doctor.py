"""``semeq doctor``: what stands between this machine and sound, and how to mend it."""

import json
import sys
import time

import click

from semeq.realtime import doctor_light as light
from semeq.realtime.doctor import Check, Level, examine, probe, works

_COLOURS = {Level.OK: "green", Level.NOTE: "yellow", Level.PROBLEM: "red"}


def all_checks() -> list[Check]:
    """Return what is looked at, in the order in which it is told."""
    return [
        Check("software", light.packages),
        Check("words", light.words, Level.PROBLEM),
        probe("model", "model", Level.NOTE),
        probe("kernels", "kernels", Level.NOTE),
        probe("sound", "PortAudio", Level.PROBLEM),
        probe("midi", "MIDI", Level.NOTE),
        Check("rights", light.rights),
        Check("processor", light.processor),
        Check("disk", light.disk),
        Check("memory", light.memory),
        Check("terminal", light.terminal),
    ]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Look whether this machine is ready: a line a thing, ok, note or problem, and how to mend it.

    Exit code 0 if nothing stops semeq from working, 1 if something does. It changes nothing and takes a few
    seconds at the most.
    """
    start = time.perf_counter()
    findings = examine(all_checks())
    is_well = works(findings)
    if as_json:
        report = {
            "works": is_well,
            "seconds": round(time.perf_counter() - start, 2),
            "findings": [finding.as_dict() for finding in findings],
        }
        click.echo(json.dumps(report, indent=1))
    else:
        for finding in findings:
            line = finding.line()
            level = click.style(finding.level.value, fg=_COLOURS[finding.level])
            click.echo(level + line.removeprefix(finding.level.value))
    sys.stdout.flush()
    sys.exit(0 if is_well else 1)
