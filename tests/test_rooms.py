"""The shape of the house: who may know whom, how large a thing may be, what a user can import.

Must not know: what any room does.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import kithara_file

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src"
HOUSE = SRC / "kithara_file"

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_HALL_LINES = 250

PURE = ("ranges", "session.plan", "net.reply", "assets.eviction")
IMPURE = frozenset({"asyncio", "threading", "time", "os", "logging"})

DOORS = {
    "time": "clock",
    "pycurl": "net",
    "sqlite3": "assets",
    "av": "audio",
    "miniaudio": "audio",
    "numpy": "audio",
    "soxr": "audio",
    "click": "cli",
    "rich": "cli",
    "fsspec": "fs",
    "starlette": "gateway",
    "uvicorn": "gateway",
}
"""What only one room may import. Those of the extras are also what `import kithara_file` must not load."""

EXTRAS = frozenset(DOORS) - {"time", "pycurl", "sqlite3"}

PROMISED = frozenset(
    """
    open_file aopen_file Stream AsyncStream File FileConfig FileSession AssetStore ByteRange Coverage Timeouts Retry
    CancelToken Phase
    DownloadProgress DownloadComplete DownloadError ByteProgress Error EndOfStream
    KitharaError NetError ConnectFailed NetTimeout BodyBroken InvalidResponse StatusError AccessDenied NotFound
    RangeNotSatisfiable Unavailable ResourceChanged OfflineMiss StorageError DiskFull CorruptResource AssetError
    InvalidKey LeaseHeld MediaError UnsupportedMedia DecodeFailed Cancelled StreamClosed ConfigError
    """.split()  # noqa: SIM905  one name a line would be a page
)
"""Names that a user imports from `kithara_file`; to take one away breaks somebody."""


@dataclass(frozen=True)
class Function:
    """Where a function is, and how long."""

    name: str
    line: int
    lines: int


@dataclass(frozen=True)
class Module:
    """What the rules want to know of one source file.

    `imports` has the first part of every module that it imports, at any depth and for typing too; `functions` methods
    and nested ones too. It is `tested` if there is something to test: classes but for Protocols, functions but for a
    lazy import's.
    """

    path: Path
    lines: int
    imports: frozenset[str]
    functions: tuple[Function, ...]
    documented: bool
    tested: bool

    @property
    def name(self) -> str:
        """Its dotted name within the package: `net.reply`; a package's own is that of the package."""
        parts = self.path.relative_to(HOUSE).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """The first part of its name."""
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


@cache
def module(path: Path) -> Module:
    """Read one; its tree goes at once, for the garbage collection after every test would walk through it."""
    text = path.read_text()
    tree = ast.parse(text)
    imports: set[str] = set()
    functions = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            imports.add(node.module.partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions.append(Function(node.name, node.lineno, (node.end_lineno or 0) - node.lineno + 1))
    documented = bool(ast.get_docstring(tree))
    tested = any(map(_wants_a_test, tree.body))
    return Module(path, len(text.splitlines()), frozenset(imports), tuple(functions), documented, tested)


def _wants_a_test(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef):
        return "Protocol" not in map(ast.unparse, node.bases)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "__getattr__"


def modules(folder: Path) -> list[Module]:
    """Return every module below `folder`; each is read once for all the rules."""
    return [module(path) for path in sorted(folder.rglob("*.py"))]


def test_no_room_imports_one_above_or_beside_it() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([lint, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_library_with_one_door_comes_in_by_it() -> None:
    strays = [
        f"{each} imports {name}, which is for {DOORS[name]} alone"
        for each in modules(HOUSE)
        for name in each.imports
        if DOORS.get(name, each.room) != each.room
    ]
    assert strays == []


def test_every_package_that_a_user_is_made_to_install_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {name: each for name, each in project["optional-dependencies"].items() if name not in ("all", "dev")}
    wanted = {re.split(r"[^\w-]", each)[0] for each in chain(project["dependencies"], *extras.values())}
    assert wanted - {name for each in modules(HOUSE) for name in each.imports} == set()
    assert project["optional-dependencies"]["all"] == [f"kithara-file[{','.join(extras)}]"]


def test_pure_modules_touch_no_clock_thread_or_disk() -> None:
    pure = [each for each in modules(HOUSE) if each.name in PURE]
    strays = [f"{each} imports {name}" for each in pure for name in each.imports if name in IMPURE]
    assert strays == []


def test_every_pure_module_is_there() -> None:
    assert set(PURE) - {each.name for each in modules(HOUSE)} == set()


def test_no_file_is_longer_than_its_budget() -> None:
    budget = {HOUSE / "session" / "session.py": MAX_HALL_LINES}
    long = {
        str(each): each.lines
        for each in modules(SRC) + modules(ROOT / "tests")
        if each.lines > budget.get(each.path, MAX_FILE_LINES)
    }
    assert long == {}


def test_no_function_is_longer_than_its_budget() -> None:
    long = {
        f"{each}:{function.line} {function.name}": function.lines
        for each in modules(SRC) + modules(ROOT / "tests")
        for function in each.functions
        if function.lines > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    assert [str(each) for each in modules(SRC) if not each.documented] == []


def test_every_module_has_a_unit_test_module_of_its_own() -> None:
    missing = [
        f"{each} wants {test.relative_to(ROOT)}"
        for each in modules(HOUSE)
        if each.tested and not (test := _unit_test_of(each)).exists()
    ]
    assert missing == []


def _unit_test_of(tested: Module) -> Path:
    """Return `tests/unit/net/test_reply.py` for `net/reply.py`, `tests/unit/net/test_init.py` for `net/__init__.py`."""
    inside = tested.path.relative_to(HOUSE)
    return ROOT / "tests" / "unit" / inside.with_name(f"test_{inside.stem.strip('_')}.py")


def test_everything_promised_is_exported() -> None:
    assert PROMISED - set(kithara_file.__all__) == set()


def test_everything_exported_is_there_and_documented() -> None:
    undocumented = [name for name in kithara_file.__all__ if not _documented(getattr(kithara_file, name), name)]
    assert undocumented == []


def _documented(thing: object, name: str) -> bool:
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return True  # a constant or an alias cannot carry a docstring
    doc = thing.__dict__.get("__doc__") if inspect.isclass(thing) else inspect.getdoc(thing)
    # A dataclass without a docstring is given its signature for one.
    return bool(doc) and not str(doc).startswith(f"{name}(")


def test_everything_exported_is_exported_once() -> None:
    assert len(kithara_file.__all__) == len(set(kithara_file.__all__))


def test_importing_the_package_loads_no_extra() -> None:
    source = "import sys; from kithara_file import *; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert EXTRAS & set(result.stdout.split()) == set()
