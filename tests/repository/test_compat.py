"""The comparison with the published SDK: what counts as a difference, and that its programs are whole. No network."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.bounds import PATIENCE, eventually
from tools.compat import comparison, report, runner, tally
from tools.compat.comparison import Difference, Lacking, Reason, compared, differences, explained, normalized
from tools.compat.environments import Environment, installations
from tools.compat.packages import LINES, PACKAGES, Package
from tools.compat.programs.rows import ROWS
from tools.compat.reasons import REASONS
from tools.compat.report import Outcome

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(runner.__file__).parent / "programs"
NAMES = [name for package in PACKAGES for name in package.programs] + [LINES]
HELPERS = {"__init__", "cases", "rows"}

THREAD, OTHER = "0199a213-81c0-7800-8aa1-000000000001", "0199a213-81c0-7800-8aa1-000000000002"


# --- what differs


def test_names_and_times_of_a_run_do_not_count() -> None:
    one: dict[str, Any] = {"id": THREAD, "durationMs": 5, "created_at": 7, "text": "a", "again": f"of {THREAD}"}
    other: dict[str, Any] = {"id": OTHER, "durationMs": 6, "created_at": 8, "text": "a", "again": f"of {OTHER}"}
    assert normalized(one) == normalized(other)


def test_another_thread_than_before_counts() -> None:
    assert normalized([THREAD, THREAD]) != normalized([THREAD, OTHER])


def test_a_time_that_is_absent_counts() -> None:
    assert normalized({"durationMs": 5}) != normalized({"durationMs": None})


@pytest.mark.parametrize("key", ["timeouts", "status", "tokens", "attempts"])
def test_other_keys_count(key: str) -> None:
    assert normalized({key: 5}) != normalized({key: 6})


def test_a_difference_names_its_place() -> None:
    found = list(differences({"items": [{"a": 1}, {"a": 2}]}, {"items": [{"a": 1}, {"a": 3, "b": 4}]}, "case"))
    assert found == [Difference("case.items[1].a", 2, 3), Difference("case.items[1].b", comparison.ABSENT, 4)]
    assert {each.case for each in found} == {"case"}


def test_lists_of_other_lengths_differ_as_wholes() -> None:
    assert list(differences([1], [1, 2], "case")) == [Difference("case", [1], [1, 2])]


def test_a_value_and_an_error_are_one_difference() -> None:
    published, ours = {"value": 1}, {"error": ["KeyError: 'a'"]}
    assert list(differences(published, ours, "case")) == [Difference("case", published, ours)]


def test_equal_records_have_no_difference() -> None:
    record = {"case": {"value": {"text": "a"}}}
    assert compared(record, record)["case"].differences == []


# --- reasons

SHORTER = Reason("shorter", r"a long (\w+)", r"a \1")
RENAMED = Reason("renamed", "^Old:", "New:", "program.case")
LACKING = Lacking("lacking", "no attribute 'x'", "program.*")


def test_reasons_explain_a_text_together() -> None:
    difference = Difference("case.value", "Old: a long text", "New: a text")
    assert explained("program", difference, [SHORTER, RENAMED]) == [SHORTER, RENAMED]
    assert explained("program", difference, [SHORTER]) == []


def test_a_reason_hides_no_other_change() -> None:
    assert explained("program", Difference("case", "Old: a long text", "New: a test"), [SHORTER, RENAMED]) == []


def test_a_reason_holds_where_it_says() -> None:
    assert explained("program", Difference("another.value", "Old: a", "New: a"), [RENAMED]) == []


def test_what_is_lacking_is_known_by_its_error() -> None:
    lacks = Difference("case", {"value": 1}, {"error": ["AttributeError: no attribute 'x'"]})
    fails = Difference("case", {"value": 1}, {"error": ["AttributeError: no attribute 'y'"]})
    assert explained("program", lacks, [LACKING]) == [LACKING]
    assert explained("program", fails, [LACKING]) == []
    assert explained("program", Difference("case", 1, 2), [LACKING]) == []


# --- the table


def outcome(published: dict[str, Any], ours: dict[str, Any]) -> Outcome:
    return Outcome("package", "program", compared({"case": published}, {"case": ours}))


@pytest.mark.parametrize(
    ("published", "ours", "cell"),
    [
        ({"value": "a"}, {"value": "a"}, "equal"),
        ({"value": "Old: a"}, {"value": "New: a"}, "reason stated"),
        ({"value": "Old: a"}, {"value": "Newer: a"}, "DIFFERENT"),
        ({"value": "a"}, {"error": ["KeyError"]}, "DIFFERENT"),
        ({"error": ["KeyError"]}, {"error": ["KeyError"]}, "BOTH FAIL"),
    ],
)
def test_the_cell_of_a_case(published: dict[str, Any], ours: dict[str, Any], cell: str) -> None:
    found = outcome(published, ours)
    assert found.verdict("case", [RENAMED]) == cell
    assert found.failed([RENAMED]) == (cell in report.FAILURES)
    assert any(cell in line for line in report.lines([found], [RENAMED]))


def test_a_case_that_one_side_lacks_differs() -> None:
    assert Outcome("package", "program", compared({"case": {"value": 1}}, {})).failed([])


def test_a_program_without_a_result_fails() -> None:
    found = Outcome("package", "program", {}, "ours: exit code 1")
    assert found.failed([])
    assert "program: no result: ours: exit code 1" in list(report.lines([found], []))


def test_a_reason_that_covers_nothing_is_reported() -> None:
    found = [outcome({"value": "Old: a"}, {"value": "New: a"})]
    assert report.stale(found, [RENAMED, SHORTER]) == [SHORTER]


# --- packages


def test_a_package_whose_range_excludes_ours_is_installed_alone() -> None:
    usual = Package("usual[codex]==1", ("a",), "openai-codex>=0.1")
    alone = Package("alone[codex]==2", ("b",), "openai-codex<0.163.0", ("needed",))
    assert list(installations([usual, alone])) == [("usual[codex]==1",), ("needed",), ("--no-deps", "alone==2")]


def test_versions_are_pinned() -> None:
    assert [package.name for package in PACKAGES if "==" not in package.requirement] == []


# --- programs


def test_each_program_is_in_the_table() -> None:
    assert sorted(NAMES) == sorted({path.stem for path in PROGRAMS.glob("*.py")} - HELPERS)


@pytest.mark.parametrize("name", NAMES)
def test_a_program_compiles_and_runs_each_of_its_cases(name: str) -> None:
    tree = ast.parse((PROGRAMS / f"{name}.py").read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    last = tree.body[-1]
    assert isinstance(last, ast.If)
    run = {node.id for node in ast.walk(last) if isinstance(node, ast.Name)} - {"__name__", "cases"}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert run <= functions | {"map", "case_of", "ROWS", "prepared"}
    assert {each for each in functions if not each.startswith("_")} <= run | called | {"case_of"}


def test_reasons_are_for_programs_that_exist() -> None:
    named = {reason.where.partition(".")[0] for reason in REASONS} - {"*"}
    assert named <= set(NAMES)


@pytest.mark.timeout(400)  # many starts of a runtime, in one process with its own deadline
def test_lines_that_public_programs_contain_run_here() -> None:
    """Those that do not are known, with their reasons; the published SDK is not needed to see that."""
    record = runner.run(Environment("here", (), Path(sys.prefix)), LINES)
    broken = {
        f"{row.name}: {line}": outcome["error"]
        for row in ROWS
        for line, outcome in record[row.name]["value"].items()
        if "error" in outcome and not explained(LINES, Difference(row.name, {"value": None}, outcome), REASONS)
    }
    assert broken == {}


def test_a_program_that_writes_no_record_tells_why() -> None:
    with pytest.raises(runner.ProgramError, match=r"No module named programs\.nothing"):
        runner.run(Environment("here", (), Path(sys.prefix)), "nothing")


def test_the_tally_counts_what_runs_there_and_not_here() -> None:
    row = ROWS[0]
    there = {line: {"value": None} for line in row.lines[1:]} | {row.lines[0]: {"error": ["KeyError"]}}
    here = there | {row.lines[1]: {"error": ["KeyError"]}}
    first = next(tally.tallies({row.name: {"value": there}}, {row.name: {"value": here}}))
    assert (first.lines, first.broken) == (len(row.lines) - 1, (row.lines[1],))


# --- a run that is ended

# As `tools.compat.__main__` does it, with a program of this test.
COMMAND = """
import os, sys
from pathlib import Path
from tools.compat import runner
from tools.compat.environments import Environment

folder = runner.HERE = Path(sys.argv[1])
runner.end_on_sigterm()
runner._run(Environment("x", (), folder), "endless", dict(os.environ), folder / "output.txt")
"""
ENDLESS = "import os, signal, sys\nprint(os.getpid(), flush=True)\nsignal.alarm(60)\nsignal.pause()\n"  # an alarm, in case the test fails


def test_sigterm_ends_the_program_that_runs(tmp_path: Path) -> None:
    for name in ("bin", "programs"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "programs" / "endless.py").write_text(ENDLESS)
    output = tmp_path / "output.txt"
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(tmp_path)], cwd=ROOT, stdin=subprocess.DEVNULL
    ) as command:
        assert eventually(lambda: output.exists() and output.read_text().endswith("\n"))
        command.terminate()
        assert command.wait(PATIENCE) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(output.read_text()), 0)
