"""What no module of the tree may do: write a file half, run what it reads, or listen to the network."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path
    for folder in ("engine", "presets", "realtime", "training")
    for path in (ROOT / folder).rglob("*.py")
)
#: What may open a file for writing by itself, and why.
WRITERS = {
    "engine/unfinished.py": "the temporary file that all others are written through",
    "realtime/record.py": "a take grows while it is recorded; what is there after a kill can be used",
}
#: Calls that run what they are given, and modules that do so when they read.
RUNS = {"eval", "exec", "compile", "__import__", "system", "popen", "execv", "execvp", "spawnl"}
UNPICKLES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "jsonpickle",
}
#: What may import a module by a name that is not written in the code, and why.
IMPORTERS = {"training/cli_evaluate.py": "MODULE:FUNCTION of the user's own command line"}
#: Modules that open sockets.
LISTENS = {
    "socket", "socketserver", "http", "http.server", "asyncio", "xmlrpc", "ssl", "ftplib", "telnetlib",
    "uvicorn", "starlette", "websockets", "aiohttp", "flask", "fastapi", "pythonosc", "zmq", "tornado",
}  # fmt: skip
#: Who may, behind what. Nothing does today.
MAY_LISTEN: dict[str, str] = {}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def is_true(call: ast.Call, keyword: str) -> bool:
    """Whether a call has a keyword that is anything but the constant False."""
    return any(
        given.arg == keyword
        and not (isinstance(given.value, ast.Constant) and given.value.value is False)
        for given in call.keywords
    )


def has_writing_mode(call: ast.Call) -> bool:
    given = (*call.args, *(keyword.value for keyword in call.keywords))
    texts = (one.value for one in given if isinstance(one, ast.Constant))
    return any(
        isinstance(text, str) and re.fullmatch(r"[rbt]*[wax+][rwaxbt+]*", text) for text in texts
    )


def writes(call: ast.Call) -> bool:
    """Whether a call makes or changes a file by its path."""
    whole = ast.unparse(call.func)
    last, first = whole.rsplit(".", 1)[-1], ast.unparse(call.args[0]) if call.args else ""
    if last in ("write_text", "write_bytes", "touch"):
        return "." in whole  # a path's method: our own of that name is a function
    if whole in ("np.save", "np.savez", "np.savez_compressed", "torch.save") or last == "savefig":
        return first not in ("file", "new.file")
    if last in ("open", "AudioFile"):
        return has_writing_mode(call) and not first.startswith("cast(BinaryIO")
    return last in ("NamedTemporaryFile", "mkstemp")


BAD = """
path.write_text('x'); open(p, 'w'); p.open('ab'); p.open(mode='r+'); np.savez(path, a=1); tempfile.mkstemp()
figure.savefig(path); torch.save(x, path); AudioFile(str(path), 'w', samplerate=fs)
"""
GOOD = """
write_text(path, 'x'); p.open('rb'); open(p); np.savez(new.file, a=1); figure.savefig(new.file)
AudioFile(cast(BinaryIO, sink), 'w'); AudioFile(str(path))
"""


@pytest.mark.parametrize(("text", "wanted"), [(BAD, True), (GOOD, False)])
def test_the_rule_sees_what_it_forbids(text: str, wanted: bool) -> None:
    for line in ast.parse(text).body:
        assert isinstance(line, ast.Expr)
        assert isinstance(line.value, ast.Call)
        assert writes(line.value) is wanted, ast.unparse(line)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_files_are_written_whole_or_not_at_all(path: Path) -> None:
    found = [
        f"line {call.lineno}: {ast.unparse(call)[:80]}" for call in calls(path) if writes(call)
    ]
    if name(path) in WRITERS:
        assert found, f"{name(path)} writes nothing any more: take it off the list"
        return
    assert not found, f"{name(path)}: write through semeq.engine.atomic: {found}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_that_is_read_is_run(path: Path) -> None:
    assert not UNPICKLES & {module.split(".")[0] for module in imported(path)}
    for call in calls(path):
        where = f"{name(path)}, line {call.lineno}: {ast.unparse(call)[:80]}"
        whole = ast.unparse(call.func)
        assert whole.removeprefix("os.").removeprefix("builtins.") not in RUNS, where
        assert not is_true(call, "shell"), where
        assert not is_true(call, "allow_pickle"), where
        assert whole not in ("yaml.load", "yaml.unsafe_load", "torch.hub.load"), where
        if whole == "torch.load":
            assert is_true(call, "weights_only"), where
        if whole.endswith("import_module") and name(path) not in IMPORTERS:
            assert isinstance(call.args[0], ast.Constant), where
        if whole == "np.load":
            assert any(given.arg == "allow_pickle" for given in call.keywords), f"{where}: say it"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_opens_a_socket(path: Path) -> None:
    used = LISTENS & {part for module in imported(path) for part in (module, module.split(".")[0])}
    assert name(path) in MAY_LISTEN or not used, f"{name(path)} imports {sorted(used)}"
