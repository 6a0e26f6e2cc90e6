"""The command `trace`, as a person or a script uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openai_codex.testing import QuietHome
from tests.support.cli import ended, terminal
from tests.support.journals import HOSTILE, write_turns


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_turns(tmp_path / "run.jsonl", 20).path


def test_the_summary_is_text_or_json(path: Path) -> None:
    done = ended(None, "trace", str(path), "summary")
    assert (done.code, done.errors) == (0, "")
    assert "turns: 20 (16 completed, 2 failed, 2 lost)" in done.out
    as_json = json.loads(ended(None, "trace", str(path), "summary", "--json").out)
    assert as_json["turns"]["count"] == 20
    assert HOSTILE.split("\u2028")[0].strip() in as_json["not_completed"][0]["why"]


def test_no_control_character_of_a_journal_reaches_the_terminal(path: Path) -> None:
    out = ended(None, "trace", str(path), "summary").out
    assert "\x1b" not in out
    assert "\u2028" not in out
    assert r"\x1b[2J" in out


def test_a_line_has_no_control_character_on_a_terminal_and_stays_as_it_is_in_a_pipe(
    codex_home: QuietHome, path: Path
) -> None:
    line = next(each for each in path.read_text().split("\n") if '"turn/start"' in each)
    evil = line.replace('"text":"', '"text":"\x9b2J\u202e\x7f ☃ ')
    assert evil != line
    path.write_text(path.read_text().replace(line, evil))
    options = "trace", str(path), "grep", "--bare", "--method", "^turn/start$", "--dir", "sent", "--turn", "turn-c1-0"
    assert ended(None, *options).out == f"{evil}\n"
    with terminal(codex_home, *options, PYTHONUTF8="1") as screen:
        assert screen.end() == 0
        screen.wait_for(r"\u009b2J\u202e\u007f ☃ ")
        assert json.loads(screen.text()) == json.loads(evil)
        assert set("\x9b\u202e\x7f").isdisjoint(screen.raw())


def test_a_journal_is_not_read_from_stdin() -> None:
    done = ended(None, "trace", "-", "summary")
    assert (done.code, done.out) == (2, "")
    assert "argument FILE: a journal is not read from stdin: name its file" in done.errors


@pytest.mark.parametrize(
    ("name", "said"),
    [("none.jsonl", "cannot be read: No such file or directory"), ("other.txt", "is no journal, or an empty one")],
)
def test_what_is_no_journal_is_one_sentence(path: Path, name: str, said: str) -> None:
    path.with_name("other.txt").write_text("noise\n")
    done = ended(None, "trace", str(path.with_name(name)), "summary")
    assert (done.code, done.out) == (1, "")
    assert done.errors.count("\n") == 1
    assert said in done.errors


def grep(path: Path, *arguments: str) -> list[str]:
    done = ended(None, "trace", str(path), "grep", *arguments)
    assert (done.code, done.errors) == (0, "")
    return done.out.split("\n")[:-1]  # other ends of lines are part of texts


def test_lines_that_are_found_stay_as_they_are_and_are_a_journal(path: Path) -> None:
    lines = path.read_text().split("\n")
    found = grep(path, "--turn", "turn-c1-3")
    assert [line for line in found if line not in lines] == []
    assert "journal" in found[0]
    copy = path.with_name("copy.jsonl")
    copy.write_text("\n".join(found))
    summary = json.loads(ended(None, "trace", str(copy), "summary", "--json").out)
    assert [summary["turns"]["count"], summary["waits"]["approval"]["count"]] == [1, 1]
    [turn] = summary["slowest_turns"]
    assert (turn["turn_id"], turn["prompt"][:2], turn["is_cut"]) == ("turn-c1-3", "3 ", False)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--thread", "thread-c1-3", "--dir", "sent"], 2),  # the request, and the answer to the approval
        (["--thread", "thread-c1-3", "--method", "^turn/"], 4),  # with the response
        (["--turn", "turn-c1-3", "--method", "requestApproval"], 2),
        (["--method", "process_started"], 1),
        (["--dir", "life"], 2),
        (["--from", "0", "--to", "0.05"], 1),
        (["--from", "1e9", "--dir", "sent", "--dir", "life"], 0),
        (["--from", "2001-09-09T01:46:40+00:00", "--to", "2001-09-09T01:46:40.150Z", "--dir", "life"], 2),
        (["--turn", "no such"], 0),
    ],
    ids=str,
)
def test_what_is_given_applies_together(path: Path, arguments: list[str], count: int) -> None:
    assert len(grep(path, "--bare", *arguments)) == count


def test_what_happened_to_a_turn_is_found_by_its_ids(tmp_path: Path) -> None:
    journal = write_turns(tmp_path / "run.jsonl", 4)
    for turn in ("2", "3"):
        ids = {"thread_id": f"thread-c1-{turn}", "turn_id": f"turn-c1-{turn}"}
        journal.event(9.0, "turn_interrupt_asked", **ids, by="a caller")
        journal.event(9.1, "turn_interrupted", **ids)
    for arguments in (["--turn", "turn-c1-2"], ["--thread", "thread-c1-2"]):
        found = [json.loads(line)["frame"] for line in grep(journal.path, "--bare", *arguments, "--dir", "life")]
        assert [(each["event"], each["turn_id"]) for each in found] == [
            ("turn_interrupt_asked", "turn-c1-2"),
            ("turn_interrupted", "turn-c1-2"),
        ]
    done = ended(None, "trace", str(journal.path), "report", "--turn", "turn-c1-2")
    assert "turn_interrupt_asked" in done.out
    assert '"turn_id":"turn-c1-3"' not in done.out


def test_the_report_is_markdown_of_bounded_size(tmp_path: Path) -> None:
    path = write_turns(tmp_path / "run.jsonl", 300, HOSTILE * 9).path
    report = ended(None, "trace", str(path), "report").out
    assert len(report) <= 60_000
    assert report.startswith("# Report of a journal\n")
    assert "openai-codex 0.163.0" in report
    assert report.count("~~~~~~\n") % 2 == 0
    assert "## Turn turn-c1-6\n" in report
    assert "## More turns" in report
    assert "\x1b" not in report
    one = ended(None, "trace", str(path), "report", "--turn", "turn-c1-11").out
    assert [line for line in one.splitlines() if line.startswith("## Turn")] == [
        "## Turn turn-c1-11",
        *(f"## Turn turn-c1-11{number}" for number in range(4)),
    ]
    missing = ended(None, "trace", str(path), "report", "--turn", "none")
    assert (missing.code, missing.errors.count("\n")) == (1, 1)
    assert "has no turn whose id begins with 'none'" in missing.errors
