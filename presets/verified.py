"""A finished render, judged by whether the sound became what its recipe asked."""

from dataclasses import replace

from semeq.engine.recipe import Recipe
from semeq.engine.report import RenderReport
from semeq.engine.verify import verify
from semeq.presets.library import load_vocabulary
from semeq.presets.usual import load_usual_balance


def verified(report: RenderReport, recipe: Recipe, amount: float) -> RenderReport:
    """Return the report with its verification, and a warning for each miss.

    Both sides are the real sound, as it was read and as it was written.
    """
    before, after = report.before.balance, report.after.balance
    if before is None or after is None:
        return report
    verification = verify(
        recipe, load_vocabulary(), before, after, amount, usual=load_usual_balance()
    )
    warnings = (*report.warnings, *verification.misses)
    return replace(report, verification=verification, warnings=warnings)
