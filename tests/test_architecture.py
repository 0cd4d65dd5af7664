"""The house keeps its rules: who may know whom, what may be said where, and that everything is told."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "kiban"
DOCS = ROOT / "docs"
MODULES = sorted(SOURCE.rglob("*.py"))
ROOMS = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}

CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
CLOCKS |= {f"time.{name}" for name in ("time", "time_ns", "localtime", "gmtime", "ctime", "strftime")}
MAY_LOOK_AT_THE_CLOCK = {"main.py", "settings.py", "store/cluster.py"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0]


def in_cli(path: Path) -> bool:
    return room_of(path) == "cli"


def face(room: str) -> set[str]:
    """The names a room shows: its `__all__`."""
    for node in tree(SOURCE / room / "__init__.py").body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


FACES = {room: face(room) for room in ROOMS}


def test_imports_go_down_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    # Its logging would silence every logger there is, in all tests that come after in this process.
    monkeypatch.setattr("importlinter.cli._configure_logging", lambda _verbose: None)
    assert lint_imports(no_cache=True) == 0


def trespasses(path: Path) -> Iterator[str]:
    """Each place where a module looks past the face of another room."""
    doors: set[str] = set()  # rooms imported whole: `from kiban import standard`
    nodes = list(ast.walk(tree(path)))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (f"import {a.name}" for a in node.names if a.name.startswith("kiban."))
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            yield f"a relative import in line {node.lineno}"
        _, _, inside = (node.module or "").partition("kiban.")
        room, _, deeper = inside.partition(".")
        if node.module == "kiban":
            doors |= {alias.name for alias in node.names if alias.name in ROOMS and not alias.asname}
        elif room in ROOMS and room != room_of(path):
            hidden = [alias.name for alias in node.names if alias.name not in FACES[room]]
            if deeper or hidden:
                yield f"from {node.module} import {', '.join(hidden) or deeper} (line {node.lineno})"
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in doors:
            room = node.value.id
            if room != room_of(path) and node.attr not in FACES[room] | {"__path__"}:
                yield f"{room}.{node.attr} (line {node.lineno})"


def told(look: Callable[[Path], Iterable[object]], paths: Iterable[Path]) -> dict[str, list[object]]:
    """What is wrong with each file, by its name; one test for all files, since thousands of tests take longer than what they ask."""
    found = {name_of(path): list(look(path)) for path in paths}
    assert found  # there are files to look at
    return {name: faults for name, faults in found.items() if faults}


def test_a_room_is_entered_by_its_face() -> None:
    assert told(trespasses, MODULES) == {}


def test_a_trespass_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.SOURCE", tmp_path)
    module = tmp_path / "town" / "people.py"
    module.parent.mkdir()
    module.write_text(
        "import kiban.store\nfrom . import names\nfrom kiban.store.cluster import Cluster\n"
        "from kiban.kernel import period\nfrom kiban.kernel import Period\nfrom kiban import standard\n"
        "standard.load\nstandard.model\n"
    )
    assert len(list(trespasses(module))) == 5


def clock_readings(module: ast.Module) -> Iterator[str]:
    """Each place where a module asks what time it is. `datetime.time` is a type, not a question."""
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute):
            name = ".".join(ast.unparse(node).split(".")[-2:])
            if name in CLOCKS:
                yield f"{name} (line {node.lineno})"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"from time import {a.name}" for a in node.names if f"time.{a.name}" in CLOCKS)


def test_no_clock_is_read_inside() -> None:
    inside = [p for p in MODULES if not in_cli(p) and name_of(p) not in MAY_LOOK_AT_THE_CLOCK]
    assert told(lambda path: clock_readings(tree(path)), inside) == {}


def test_a_look_at_the_clock_is_seen() -> None:
    looks = (
        "datetime.now(UTC)",
        "datetime.datetime.now()",
        "date.today()",
        "time.time()",
        "from time import time",
    )
    assert all(list(clock_readings(ast.parse(look))) for look in looks)
    others = (
        "datetime.time(1)",
        "time.monotonic()",
        "row.now",
        "from time import sleep",
        "datetime.date(1, 2, 3)",
    )
    assert not any(list(clock_readings(ast.parse(other))) for other in others)


def test_only_commands_print() -> None:
    def printing(path: Path) -> list[int]:
        nodes = ast.walk(tree(path))
        return [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == "print"]

    assert told(printing, [p for p in MODULES if not in_cli(p)]) == {}


def unexplained(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """Public functions, classes and methods without a docstring."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_"):
            continue
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        if not ast.get_docstring(node) and not decorators & {"overload", "override"}:
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from unexplained(node.body, f"{node.name}.")


def test_everything_public_is_explained() -> None:
    def silent(path: Path) -> Iterator[str]:
        module = tree(path)
        if not ast.get_docstring(module):
            yield "the module itself"
        # A method that stands in for one of a library is explained there.
        yield from (name for name in unexplained(module.body) if not (in_cli(path) and "." in name))

    assert told(silent, MODULES) == {}


MOST_LINES = 300
MOST_OF_A_FUNCTION = 40  # lines of its body; what it takes and its docstring do not count


def too_long(text: str) -> Iterator[str]:
    """What is longer than a reader takes in at once: a module, a function."""
    if text.count("\n") > MOST_LINES:
        yield f"{text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body and (node.end_lineno or 0) - body[0].lineno >= MOST_OF_A_FUNCTION:
                yield f"{node.name} (line {node.lineno})"


def test_files_and_functions_are_short() -> None:
    assert told(lambda path: too_long(path.read_text(encoding="utf-8")), MODULES) == {}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.sql")), ids=name_of)
def test_files_of_sql_are_short(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= MOST_LINES


def test_what_is_too_long_is_seen() -> None:
    body = "    pass\n" * MOST_OF_A_FUNCTION
    assert list(too_long(f'def short(\n    a,\n):\n    """Words.\n\n    More."""\n{body}')) == []
    assert list(too_long(f"def long():\n{body}    pass\n")) == ["long (line 1)"]
    assert list(too_long("\n" * (MOST_LINES + 1))) == ["301 lines"]


def markdown() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *SOURCE.rglob("*.md")])


def links(page: Path) -> Iterator[Path]:
    """The files a page links to; code is not read."""
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(<?([^)>\s]+)", text):
        if not re.match(r"[a-z+]+:|#", target):
            yield (page.parent / unquote(target.partition("#")[0])).resolve()


@pytest.mark.parametrize("page", markdown(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert [str(target) for target in links(page) if not target.exists()] == []


def reached() -> set[Path]:
    """Every file that a reader finds by following links from README.md and ARCHITECTURE.md."""
    found: set[Path] = set()
    ahead = [ROOT / "README.md", ROOT / "ARCHITECTURE.md"]
    while ahead:
        page = ahead.pop()
        if page.is_dir():
            page = page / "README.md"
        if page.is_file() and page not in found:
            found.add(page)
            ahead += links(page) if page.suffix == ".md" else []
    return found


def test_every_document_is_reachable_from_the_first_page() -> None:
    written = [path for path in DOCS.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(ROOT)) for path in {*written} - reached()) == []


@pytest.mark.parametrize(
    "record",
    [path for path in sorted(DOCS.glob("decisions/*.md")) if path.name != "README.md"],
    ids=lambda path: path.stem,
)
def test_every_decision_says_what_enforces_it(record: Path) -> None:
    last = record.read_text(encoding="utf-8").strip().split("\n\n")[-1]
    assert re.match(r"\W*Enforced by\b.+", last, re.DOTALL), last
