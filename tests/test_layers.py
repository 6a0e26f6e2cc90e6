"""Imports go strictly downward, and the standard modules that mean threads, loops and processes stay where they are."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import openai_codex

PACKAGE = Path(openai_codex.__file__).parent

# Every module from top to bottom: it may import those below it, in functions and for type checkers, too. A row is a
# package and its modules; "." is the package's own `__init__`. A package in several rows has parts that others rest on.
ORDER = """
    : __main__
    _pyinstaller: . hook-openai_codex
    _cli: . main jobs trace page lanes bars chrome doctor connected installed findings run questions live displays items options output
    : api async_client client models
    generated: v2_all notification_registry . _published
    : types
    testing: . pytest_plugin
    testing._replay: . served player bindings recording matching
    testing._fake: . server default_replies script child process control program
    testing: frames _stores _approvals _home _known _model
    testing._cassette: . cassette recorder player upstream redacting tape questions
    testing: _responder _script _agents _spawned _replies _items _http _waiting _recorded
    : . retry
    _otel: . tracing held approval_span turn_span content names settings
    _async: pool
    _jobs: . run pool_base iterating reporter drawn displays fleet calls timer progress workers ledger policy homes entry steps prompts tree repository git prepared stored records state rows lock outcomes processes clients budgets result worktree job paths lifetime dask
    _async: . low_level driving codex
    _async.verbs: . portable threads reviews goals catalog account base requests
    _async: thread thread_contents closing operations loading goal_run running turn preparing events thread_pages unlisted pages stream iteration login lazy
    _async.client: . recycling cursor agent_stops connection thread_registry supervisor launch dispatch handlers handler_check rpc ahead _wait _loop
    _journal: trace_report search sentences summary timeline events labels history report read record entries encode files directory deltas flood redact harmless commands named beginnings contents
    _portable: . store placing package rollouts aside
    _tools: . result registry declaration arguments callables
    _approvals: . kinds responses policies decisions requests file_changes commands
    _schemas: . output walk containers foreign strict fields scopes constraints definitions values wording
    _schemas: leaves form
    _turns: . rejoin stops tree_stops work_table halts contexts work pulse agent_events trees live activity reported notices effective session_file
    _turns: stall open_turns turn_ends agents usage fold open_items texts listings settings options inputs
    _engine: . actor at_exit reader outbox undo router subscriptions mailbox server_requests workers threads
    _engine: reply lane backlog recent wire heads
    _engine.transport: . start lasting remote tls address installation child spawn stderr input output base
    _engine: once waiting
    _runtime: environment handshake
    : _config
    _journal: . settings recorder
    _runtime: . log_lines report toml backoff failures given
    : _notification
    _codec: . aliases by_name converter structuring unions unstructuring dumping incomplete
    : _checks
    errors: .
    _jobs: failure
    _portable: errors
    errors: _runtime _base
    _turns: results
    _runtime: health process_info
    : _protocol
    _codec: plain base enums deferred in_pydantic model
    : _log _version
    _runtime: variables settings_secrets display assigned phrases secret_names imports not_pickled
"""


def _ranked() -> dict[str, int]:
    """Return the rank of each module by its dotted name within the package; the highest is 0."""
    rows = [line.strip().partition(":") for line in ORDER.strip().splitlines()]
    names = [f"{package}.{name}".strip(".") for package, _, modules in rows for name in modules.split()]
    assert len(names) == len(set(names)), "a module has one rank"
    return {name: rank for rank, name in enumerate(names)}


RANK = _ranked()

# The only places of the package proper that may import these. `signal` in process_info turns a number into a name. The
# command line is a program that uses the package: it has a loop and a handler of Ctrl-C, and runs the binary for its version.
# A job with a worktree runs git, which is no runtime: it has no frames to read, and ends with its answer.
CONFINED = {
    "asyncio": {"_async/client/_wait.py", "_async/client/_loop.py", "_cli/run.py", "_cli/questions.py"},
    "threading": {f"_engine/{name}.py" for name in ("transport/child", "transport/tls", "threads", "waiting")},
    "subprocess": {"_engine/transport/child.py", "_engine/transport/spawn.py", "_cli/installed.py", "_jobs/git.py"},
    "signal": {
        "_cli/__init__.py",
        "_jobs/git.py",
        *(f"_engine/transport/{name}.py" for name in ("child", "input")),
        "_runtime/process_info.py",
        "_jobs/lifetime.py",  # a worker ends itself as its executor would end it
    },
}

FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def module_of(path: Path) -> str:
    """Return the name that a file has in `ORDER`: the derived face ranks as its source, generated modules as one."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ranked_name(".".join(parts).removesuffix("__init__").strip("."))


def ranked_name(module: str) -> str:
    if module.startswith("_protocol"):
        return "_protocol"
    return module.replace("_sync", "_async", 1) if module.startswith("_sync") else module


MODULES = {module_of(path) for path in FILES}


# Where the names come from that these two modules load when they are used. They are no way around the order: who uses one
# of the names depends on the module of that name.
HOMES: dict[str, dict[str, str]] = {
    name: importlib.import_module(f"openai_codex._async.{name}").HOMES for name in ("lazy", "operations")
}


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield every module that is imported anywhere: at the top, in functions, for type checkers alone, and by `HOMES`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in HOMES:
            homes = HOMES[node.value.id]
            yield homes[node.attr if node.attr in homes else f"Async{node.attr}"]
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            assert node.module is not None
            inner = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            yield from (
                name if ranked_name(name.partition(".")[2]) in MODULES else node.module for name in inner.values()
            )


def test_every_module_has_a_rank() -> None:
    assert set(RANK) == MODULES


def test_the_map_names_every_module_in_its_place() -> None:
    rows: dict[str, str] = {}
    last = ""
    for line in (openai_codex.__doc__ or "").splitlines():
        if row := re.match(r"    (  )?(\w+)/? {2,}(.*)", line):
            outer = last.partition(".")[0] if row[1] else ""
            last = f"{outer}.{row[2]}".strip(".")
            rows[last] = row[3]
        elif line.startswith(" " * 20):
            rows[last] += line
    with_own_map = ("testing.", "_protocol.")
    missing = [name for name in MODULES - {""} if name not in rows and not name.startswith(with_own_map)]
    assert [
        name for name in missing if name.rpartition(".")[2] not in re.findall(r"[\w-]+", rows[name.rpartition(".")[0]])
    ] == []
    assert set(rows) - {"_sync"} <= MODULES
    named = {f"{package}.{word}" for package, text in rows.items() for word in re.findall(r"\b_\w+", text)}
    assert {name for name in named if not name.startswith("_sync.")} <= MODULES


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downward(path: Path) -> None:
    own = module_of(path)
    names = {name.partition(".")[2] for name in imports(ast.parse(path.read_text())) if name.startswith("openai_codex")}
    assert {name for name in map(ranked_name, names) if RANK[name] <= RANK[own] and name != own} == set()
    assert own == "_protocol" or own not in map(ranked_name, names)


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) != "testing"], ids=lambda path: path.name)
def test_threads_loops_and_processes_are_confined(path: Path) -> None:
    relative = path.relative_to(PACKAGE).as_posix()
    used = {name.split(".")[0] for name in imports(ast.parse(path.read_text()))}
    assert [name for name, places in CONFINED.items() if name in used and relative not in places] == []


def test_the_two_faces_mirror_each_other() -> None:
    names = [
        {path.relative_to(PACKAGE / face) for path in (PACKAGE / face).rglob("*.py")} for face in ("_async", "_sync")
    ]
    assert names[0] - names[1] == {Path("client/_loop.py")}  # a blocked thread needs no loop
    assert names[1] - names[0] == set()


def test_nothing_moves_a_wait_to_a_thread() -> None:
    assert [path for path in FILES if "to_thread" in path.read_text() or "run_in_executor" in path.read_text()] == []


def test_hand_written_files_are_small() -> None:
    by_hand = [
        path
        for path in FILES
        if part_of(path) != "_sync" and "generated" not in path.read_text().split("\n")[0].lower()
    ]
    assert {path.name: n for path in by_hand if (n := len(path.read_text().splitlines())) > 300} == {}
