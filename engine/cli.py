"""The ``semeq`` command: finds its sub-commands by entry point and turns errors into one line.

Sub-commands are registered in the group ``semeq.commands``, so that no lower layer imports a higher
one and other packages can add their own.
"""

import gc
import sys
from importlib.metadata import EntryPoint, entry_points, version
from typing import NoReturn

import click

from semeq.engine.errors import MissingPackageError, SemeqError, UsageError, one_line

GC_THRESHOLD = 200_000
EXIT_FAILED = 1
EXIT_USAGE = 2


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Print one line on standard error and leave with `code`."""
    click.echo(f"semeq: {one_line(message)}", err=True)
    sys.exit(code)


class Commands(click.Group):
    """The group of all installed sub-commands; each is imported only when it is called."""

    @staticmethod
    def _points() -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group="semeq.commands")}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the registered commands."""
        return sorted(self._points())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None when nobody registered it."""
        point = self._points().get(cmd_name)
        if point is None:
            return None
        command: click.Command = point.load()
        return command


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A live semantic equaliser: ask for a sound in words.",
)
@click.version_option(package_name="semeq", version=None, message="%(prog)s %(version)s")
def semeq() -> None:
    """Hold the sub-commands together."""


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line: exit code 0 done, 1 failed, 2 usage."""
    # Starting makes many objects that stay; looking for garbage among them costs a tenth of the start.
    gc.set_threshold(GC_THRESHOLD, 10, 10)
    try:
        code = semeq.main(args=argv, prog_name="semeq", standalone_mode=False)
    except click.exceptions.Abort:
        fail("stopped", 130)
    except click.ClickException as error:
        if error.exit_code == EXIT_USAGE:
            error.show()
            sys.exit(EXIT_USAGE)
        fail(error.format_message(), error.exit_code)
    except UsageError as error:
        fail(str(error), EXIT_USAGE)
    except SemeqError as error:
        fail(str(error))
    except ImportError as error:
        fail(str(MissingPackageError(f"{error.name or error} is not installed: pip install semeq")))
    except BrokenPipeError:
        sys.exit(EXIT_FAILED)
    except (OSError, MemoryError) as error:
        fail(f"{type(error).__name__}: {error}")
    sys.exit(code if isinstance(code, int) else 0)


def package_version() -> str:
    """Return the version of the installed package."""
    return version("semeq")
