"""What is written is true: examples in docstrings run, commands in the README exist."""

import doctest
import importlib
import pkgutil
import re
import shlex
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import click
import pytest

import semeq.engine
import semeq.presets
import semeq.realtime
import semeq.training
from semeq.engine.cli import semeq as cli

ROOT = Path(__file__).parents[1]
PACKAGES = (semeq.engine, semeq.presets, semeq.realtime, semeq.training)
MODULES = sorted(
    info.name
    for package in PACKAGES
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)
#: What the default installation leaves out; only training needs it.
TRAINING_ONLY = {"torch", "torchaudio", "dasp_pytorch", "auraloss"}
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = "".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "docs").glob("*.md")))


def shell_lines(text: str) -> Iterator[str]:
    """Yield the commands of the fenced shell blocks, continued lines joined."""
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, re.S):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.removeprefix("$ ").strip()


def commands(text: str, program: str) -> list[list[str]]:
    """Return the argument lists of every call of `program`, also behind a pipe or ``&&``."""
    calls = []
    for line in shell_lines(text):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        call: list[str] = []
        for token in [*lexer, ";"]:
            if set(token) <= set("|&;<>()"):
                if call and call[0] == program:
                    calls.append(call[1:])
                call = []
            else:
                call.append(token)
    return calls


def check_call(arguments: list[str]) -> None:
    """Raise click's own error when a sub-command or an option does not exist."""
    command: click.Command = cli
    context = click.Context(cli, info_name="semeq")
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        child = command.get_command(context, arguments[0])
        if child is None:
            raise click.NoSuchOption(arguments[0], message=f"no command {arguments[0]!r}")
        command, arguments = child, arguments[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    # The parser knows the options and how many values each takes; it opens no files.
    command.make_parser(context).parse_args(list(arguments))


def test_the_walk_finds_modules() -> None:
    assert "semeq.engine.units" in MODULES


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if name.startswith("semeq.training.") and missing in TRAINING_ONLY:
            pytest.skip(f"{missing} belongs to training and is not installed by default")
        raise
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("point", entry_points(group="semeq.commands"), ids=lambda p: p.name)
def test_registered_commands_exist_and_have_help(point: EntryPoint) -> None:
    command = point.load()
    assert isinstance(command, click.Command)
    assert command.get_short_help_str()


@pytest.mark.parametrize("call", commands(README + GUIDES, "semeq"), ids=" ".join)
def test_commands_of_the_readme(call: list[str]) -> None:
    check_call(call)


@pytest.mark.parametrize("call", commands(README, "make"), ids=" ".join)
def test_make_targets_of_the_readme(call: list[str]) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert next(word for word in call if "=" not in word) in targets


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_files_that_the_readme_points_to(link: str) -> None:
    assert (ROOT / link).exists()


def test_a_wrong_option_would_be_seen() -> None:
    with pytest.raises(click.UsageError):
        check_call(["--no-such-option"])


def test_pipes_and_continuations_are_read() -> None:
    text = "```sh\nsemeq curve warm \\\n  --json | python3 -m json.tool && semeq words\n```\n"
    assert commands(text, "semeq") == [["curve", "warm", "--json"], ["words"]]
