"""What ``semeq plugin`` prints for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from semeq.engine.settings import EQSettings

if TYPE_CHECKING:
    from semeq.engine.plugin_fit import Fitted
    from semeq.engine.plugin_scan import Found
    from semeq.engine.plugin_trial import Trial
    from semeq.engine.plugin_values import ParameterFacts


def found_line(found: "Found") -> str:
    """Return a scanned plugin in one line."""
    if found.error:
        return f"{found.path}: FAILED: {found.error}"
    facts = found.facts
    kind = facts["role"] if facts["kind"] in ("", "Audio Module Class") else facts["kind"]
    count = len(found.parameters)
    return f"{found.path}: {facts['name']} by {facts['vendor']}, {kind}, {count} parameters"


def parameter_lines(parameters: "Sequence[ParameterFacts]") -> list[str]:
    """Return a table of parameters."""
    rows = [("parameter", "value", "range", "the plugin calls it")]
    for facts in parameters:
        value = f"{facts.value:g}" if isinstance(facts.value, float) else str(facts.value)
        rows.append((facts.name, f"{value} {facts.unit}".strip(), facts.range_text, facts.label))
    widths = [min(max(len(row[at]) for row in rows), 40) for at in range(3)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True)).rstrip()
        for row in rows
    ]


def trial_lines(facts: Mapping[str, str], trial: "Trial") -> list[str]:
    """Return the outcome of a trial."""
    measured = "unclear" if trial.measured_frames is None else f"{trial.measured_frames} frames"
    shares = (trial.median_share, trial.p99_share, trial.max_share)
    cost = " / ".join(f"{100.0 * share:.2f}" for share in shares)
    lines = [
        f"{facts['name']} by {facts['vendor']}: {trial.verdict} ({trial.channels} channels at "
        f"{trial.fs:g} Hz, blocks of {trial.blocksize} frames)",
        f"  latency: {trial.reported_frames} frames reported, {measured} measured",
        f"  cost: {cost} % of a block's duration (median / 99 % / most)",
        f"  level: noise comes out {trial.gain_db:+.1f} dB; silence is at {trial.silence_db:.0f} dBFS "
        f"before it, at {trial.tail_db:.0f} dBFS two seconds after",
    ]
    return lines + [f"  fault: {fault}" for fault in trial.faults]


def fitted_lines(name: str, settings: EQSettings, fitted: "Fitted") -> list[str]:
    """Return where the knobs of a plugin are, and how near that comes."""
    lines = [
        f"{name} follows the curve within {fitted.rms_db:.2f} dB rms, {fitted.max_db:.2f} dB at worst"
        f"{'; the wanted curve is flat' if settings.is_flat else ''}"
    ]
    width = max(len(name) for name in fitted.values)
    lines += [f"  {name.ljust(width)}  {value:.5g}" for name, value in fitted.values.items()]
    return [*lines, *_curve(fitted)]


def _curve(fitted: "Fitted") -> Iterable[str]:
    step = max(1, len(fitted.freqs_hz) // 9)
    yield f"  {'Hz':>8}{'wanted':>9}{'plugin':>9}  dB, without their levels"
    for at in range(step // 2, len(fitted.freqs_hz), step):
        wanted, got = fitted.wanted_db[at], fitted.got_db[at]
        yield f"  {fitted.freqs_hz[at]:>8.0f}{wanted:>+9.2f}{got:>+9.2f}"
