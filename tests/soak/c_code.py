"""Small C programs beside a soak: compiled where there is a compiler."""

import shutil
import subprocess
from pathlib import Path


def compiled(source: Path, folder: Path, *options: str) -> Path | None:
    """Return the compiled file in `folder`, or None where no compiler makes one."""
    compiler, made = shutil.which("cc"), folder / source.stem
    if compiler is None:
        return None
    done = subprocess.run([compiler, "-O1", *options, "-o", str(made), str(source)], check=False)
    return made if done.returncode == 0 else None
