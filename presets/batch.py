"""Renders many files: one request each, here or in other processes, and what to say about each."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semeq.engine.adaptive import Designer
from semeq.engine.atomic import leftovers
from semeq.engine.design import DEFAULT_DESIGN
from semeq.engine.errors import SemeqError, one_line
from semeq.engine.fit import FIT_FS
from semeq.engine.inserts import Insert
from semeq.engine.jit import is_compiled
from semeq.engine.plugin_map import PluginMap
from semeq.engine.render import RenderJob, render_file, warm_up
from semeq.engine.render_adaptive import Adaption, Mind, beyond_the_words
from semeq.engine.report import RenderReport, drift_lu, failure
from semeq.engine.timeline import Take
from semeq.presets.library import load_vocabulary
from semeq.presets.likeness import Reference
from semeq.presets.shipped_model import load_shipped_model
from semeq.presets.verified import verified

Progress = Callable[[float], None]
#: What is done when nothing can be heard.
DEAF = "the words' typical move was made, since nothing can be heard"


@dataclass(frozen=True, slots=True)
class Request:
    """One file to render by words, or by the words that make it sound like a reference."""

    job: RenderJob
    adaption: Adaption
    like: Reference | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: a report, or the one line that says why there is none."""

    request: Request
    report: RenderReport | None
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values for JSON."""
        if self.report is not None:
            return self.report.as_dict()
        job = self.request.job
        return failure(str(job.source), str(job.target), self.error)


def make_requests(
    sources: Sequence[Path],
    targets: Sequence[Path],
    adaption: Adaption,
    *,
    overwrite: bool,
    protected: tuple[Path, ...] = (),
    take: Take | None = None,
    like: Reference | None = None,
    design: str = DEFAULT_DESIGN,
    keep_track: bool = False,
    inserts: tuple[Insert, ...] = (),
    through: PluginMap | None = None,
) -> list[Request]:
    """Return a request for each source; no output may replace any of the sources."""
    return [
        Request(
            RenderJob(
                source,
                target,
                overwrite=overwrite,
                protected=(*sources, *protected),
                take=take,
                token=os.urandom(4).hex(),
                design=design,
                keep_track=keep_track,
                inserts=inserts,
                through=through,
            ),
            adaption,
            like,
        )
        for source, target in zip(sources, targets, strict=True)
    ]


def fulfil(request: Request, progress: Progress) -> RenderReport | str:
    """Render one file; return its report, or what went wrong in one line."""
    job, adaption, likeness = request.job, request.adaption, None
    try:
        if request.like is not None:
            likeness = request.like.told(job.source)
            adaption = replace(adaption, recipe=likeness.recipe)
        mind = None
        if job.take is None:
            job, mind = _prepared(job, adaption)
        report = replace(render_file(job, progress, mind), likeness=likeness)
        return report if job.take else verified(report, adaption.recipe, adaption.amount)
    except SemeqError as error:
        return one_line(error)
    except Exception as error:
        # a mistake of ours: it must not stop the other files
        said = one_line(error)
        return f"{job.source} failed: {type(error).__name__}: {said}"


def _prepared(job: RenderJob, adaption: Adaption) -> tuple[RenderJob, Mind | None]:
    """Return the job with the bands it begins with, and what hears for it, if anything can and need be."""
    vocabulary = load_vocabulary()
    designer = Designer(None, vocabulary, FIT_FS, adaption.limits)
    typical = designer.design(adaption.recipe, adaption.amount, 0.0, None, 0.0)
    said = beyond_the_words(typical, adaption, vocabulary)
    job = replace(job, settings=typical.settings, notes=(*job.notes, *said))
    if adaption.adapt == 0.0 or typical.settings.is_flat:
        return job, None
    try:
        mind = Mind(load_shipped_model(), vocabulary)
    except SemeqError as error:
        return replace(job, notes=(*job.notes, f"{DEAF}: {error}")), None
    return replace(job, adaption=adaption), mind


def needs_compiling() -> bool:
    """Whether the kernels have to be compiled first, which takes a moment."""
    return not all(map(is_compiled, ("sections_kernel", "path", "truepeak")))


def run(
    requests: Sequence[Request], workers: int, on_progress: Callable[[int, float], None]
) -> Iterator[tuple[int, Outcome]]:
    """Fulfil all requests and yield the number and outcome of each as it is ready."""
    if workers == 1 or len(requests) == 1:
        for number, request in enumerate(requests):

            def progress(share: float, number: int = number) -> None:
                on_progress(number, share)

            yield number, _outcome(request, fulfil(request, progress))
        return
    from semeq.engine.pool import Died, run_all

    if needs_compiling():
        warm_up()  # once, not in every worker
    for number, answer in run_all(fulfil, requests, workers, on_progress):
        request = requests[number]
        if isinstance(answer, Died):
            for path in leftovers(request.job.target, request.job.token or ""):
                with contextlib.suppress(OSError):
                    path.unlink()
            answer = f"{request.job.source} failed: {answer}"
        yield number, _outcome(request, answer)


def _outcome(request: Request, answer: RenderReport | str) -> Outcome:
    if isinstance(answer, str):
        return Outcome(request, None, answer)
    return Outcome(request, answer)


def summary(report: RenderReport) -> str:
    """Return a render in one line: where it is, how loud, what was done about it."""
    levels = report.after.as_dict()
    parts = [f"{report.duration_s:.1f} s"]
    if levels["loudness_lufs"] is not None:
        drift = drift_lu(report.before, report.after)
        moved = "" if drift is None or abs(drift) < 0.05 else f" ({drift:+.1f})"
        parts.append(f"{levels['loudness_lufs']:.1f} LUFS{moved}")
    if levels["true_peak_dbtp"] is not None:
        parts.append(f"peak {levels['true_peak_dbtp']:.1f} dBTP")
    parts.append(f"gain {report.gain_db:+.1f} dB")
    if report.limiting is not None:
        share = report.limiting.limited_frames / report.frames
        parts.append(f"limited {100.0 * share:.1f} % of the time")
    if report.through is not None:
        rms_db = report.through["error_rms_db"]
        parts.append(f"through {report.through['name']}, within {rms_db:.2f} dB rms of the curve")
    return f"{report.source} → {report.target}: {', '.join(parts)}"
