"""What a journal tells: of a busy run of the real runtime, of a killed program, and of lines that are torn, cut or strange."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex import AppServerConfig, Codex, ConfigError, Journal
from openai_codex._cli.bars import Look, rows
from openai_codex._cli.page import page
from openai_codex._journal import sentences, summary
from openai_codex._journal.history import History, Silence, Turn
from openai_codex._journal.read import Envelope
from openai_codex._journal.settings import Content
from openai_codex._journal.timeline import Building, load
from openai_codex._journal.trace_report import report
from openai_codex.testing import ScriptedModel, call, message, offline, reply, spawn, wait
from tests.support.bounds import PATIENCE, eventually
from tests.support.journals import Exercise, Written, run_exercise, write_turns
from tests.support.programs import running


@pytest.fixture(scope="module")
def exercise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exercise]:
    with offline() as kit:
        yield run_exercise(kit.config, kit.model, tmp_path_factory.mktemp("journal") / "run.jsonl")


@pytest.fixture(scope="module")
def history(exercise: Exercise) -> History:
    return load(exercise.path)


def turn_of(history: History, exercise: Exercise, name: str) -> Turn:
    [turn] = [turn for turn in history.turns if turn.id == exercise.turns[name]]
    return turn


def test_each_turn_of_a_busy_run_says_how_it_ended_and_why(history: History, exercise: Exercise) -> None:
    assert {turn.id for turn in history.turns} == set(exercise.turns.values())
    found = {name: turn_of(history, exercise, name) for name in exercise.turns}
    assert {name: turn.status for name, turn in found.items()} == {
        **dict.fromkeys(exercise.turns, "completed"),
        "stall": "lost",
        "fail": "failed",
        "interrupt": "interrupted",
    }
    assert found["fail"].why == "not <b>like</b> this"
    assert "by this program (MainThread): turn/interrupt" in found["interrupt"].why
    assert found["stall"].why.endswith("SIGKILL")
    assert found["stall"].ended is None
    assert {name: turn.prompt for name, turn in found.items()} == {name: name for name in exercise.turns}
    assert [turn for turn in found.values() if turn.is_cut or turn.is_agents] == []
    assert {name: turn.thread_id for name, turn in found.items()} == exercise.threads


def test_each_turn_says_where_its_time_went(history: History, exercise: Exercise) -> None:
    stall, command = (turn_of(history, exercise, name) for name in ("stall", "command"))
    assert stall.silences[0].waiting_on == "model"
    assert stall.until - stall.last == pytest.approx(stall.silences[0].seconds)
    [item] = [item for item in command.items.values() if item.kind == "commandExecution"]
    assert (item.exit_code, item.status) == (3, "failed")
    assert item.seconds is not None
    assert item.seconds >= 0  # events of one batch have the same time
    assert "sleep 0.3; exit 3" in item.label
    assert command.tokens.total_tokens == 30
    assert command.first_token is not None
    assert command.began < command.first_token <= item.began


def test_each_server_request_has_its_decision(history: History, exercise: Exercise) -> None:
    found = {ask.kind: ask for ask in history.asks}
    assert (found["approval"].decision, found["approval"].turn_id) == ("decline", exercise.turns["approve"])
    assert (found["tool"].decision, found["tool"].what) == ("done", "weather")
    assert {ask.by for ask in history.asks} == {"handler"}
    assert all(ask.seconds is not None and ask.seconds > 0 for ask in history.asks)
    assert turn_of(history, exercise, "tool").asks == [found["tool"]]


def test_the_summary_has_what_a_person_asks_first(history: History, exercise: Exercise) -> None:
    found = orjson.loads(orjson.dumps(summary.facts(history)))
    assert found["turns"]["by_status"] == {"completed": 6, "failed": 1, "interrupted": 1, "lost": 1}
    assert {each["turn_id"] for each in found["not_completed"]} == {
        exercise.turns[name] for name in ("stall", "fail", "interrupt")
    }
    assert found["tokens"]["total_tokens"] == 15 * 3 + 30 * 3
    assert found["waits"]["approval"]["count"] == 1
    assert found["requests"]["unanswered"] == 0
    assert found["silences"][0]["seconds"] >= found["silences"][-1]["seconds"]
    text = "\n".join(sentences.lines(found))
    told = ["1 lost", "SIGKILL", "not <b>like</b> this", "turn/interrupt", "approval", "weather"]
    assert [each for each in told if each not in text] == []


def test_a_killed_program_leaves_its_turn_as_lost(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    path, gate = tmp_path / "run.jsonl", scripted_model.gate()
    scripted_model.when("Fine?", "Fine.")
    scripted_model.when("Go", reply(message("never"), gate=gate))
    program = f"""
        config.journal = {str(path)!r}
        codex = Codex(config)
        codex.thread_start().run("Fine?")
        codex.thread_start().run("Go")
    """
    with running(program, codex_config) as process:
        gate.wait_reached(PATIENCE)
        assert eventually(lambda: path.read_bytes().count(b'"item/completed"') >= 3)
        process.kill()
        process.wait(PATIENCE)
    found = summary.facts(load(path))
    assert found["turns"]["by_status"] == {"completed": 1, "lost": 1}
    [lost] = found["not_completed"]
    assert (lost["prompt"], lost["waiting_on"]) == ("Go", "model")
    assert "killed, or still runs" in lost["why"]
    gate.open()


@pytest.mark.parametrize("content", ["hash", "cut"])
def test_a_journal_without_contents_has_the_same_turns(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path, content: Content
) -> None:
    path, secret = tmp_path / "run.jsonl", f"{'x' * 40} what nobody may read"
    scripted_model.queue(reply(call("exec_command", {"cmd": f"sleep 0.3; : {secret}"})), secret)
    config = attrs.evolve(codex_config, journal=Journal(path, content=content))
    with Codex(config) as codex:
        codex.thread_start().run(secret)
    history = load(path)
    [turn] = history.turns
    assert (turn.status, turn.tokens.total_tokens) == ("completed", 30)
    assert [item.kind for item in turn.items.values()] == ["userMessage", "commandExecution", "agentMessage"]
    shown = "\n".join([*sentences.lines(summary.facts(history)), *rows(history, history.turns, 300, Look())])
    shown += page(history, history.turns) + report(path, turn.id)
    assert "what nobody may read" not in shown
    assert ("hash:" if content == "hash" else "x" * 32) in shown


def test_the_turn_of_a_sub_agent_names_its_root(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    scripted_model.when_agent(spawn("Count"), wait(), "Done.", depth=0)
    scripted_model.when_agent("3 files", task="Count")
    with Codex(attrs.evolve(codex_config, journal=str(path))) as codex:
        root = codex.thread_start().run("Go")
    found = summary.facts(load(path))
    assert [found["turns"]["count"], found["turns"]["of_agents"]] == [2, 1]
    assert {each["root_turn_id"] for each in found["slowest_turns"]} == {root.id}
    assert "agent" in found["work"]


def test_a_journal_that_rotation_has_cut(tmp_path: Path) -> None:
    journal = Written(tmp_path / "run.3.jsonl")
    ids = ("thread", "turn")
    journal.notify(5.0, "item/agentMessage/delta", *ids, delta="x")
    journal.notify(6.0, "item/completed", *ids, item={"id": "i", "type": "commandExecution", "command": "ls"})
    journal.frame(6.5, "<", {"id": 4, "result": {}})  # of a request before the first line
    journal.frame(6.6, ">", {"id": 0, "result": {"decision": "accept"}})  # so is what it answers
    journal.end(7.0, ids)
    [turn] = load(tmp_path / "run.jsonl").turns
    assert (turn.is_cut, turn.status, turn.seconds) == (True, "completed", 2.0)
    assert [item.status for item in turn.items.values()] == ["completed"]


def test_lines_that_are_torn_or_dropped_are_counted(tmp_path: Path) -> None:
    journal = write_turns(tmp_path / "run.jsonl", 2)
    journal.raw(b'{"t":1,"at\n\n[]\n{"journal":1}\n{"t":"x","at":1,"dir":"<","gen":1,"pid":[],"frame":{}}\n')
    journal.frame(9.0, "!", {"event": "journal_dropped", "count": 3}, gen=0, pid=None)
    journal.frame(9.1, "<", None, reason="not JSON", line="Segmentation fault")
    found = summary.facts(load(journal.path))
    assert (found["unreadable_lines"], found["dropped_lines"]) == (4, 3)
    kinds = {each["kind"]: each["text"] for each in found["anomalies"]}
    assert kinds["unreadable line"] == "not JSON: Segmentation fault"
    assert "4 lines cannot be read" in "\n".join(sentences.lines(found))


def test_the_end_of_a_lost_turn_may_be_among_lines_that_were_not_written(tmp_path: Path) -> None:
    journal = write_turns(tmp_path / "run.jsonl", 0)
    journal.end(1.5, journal.start(1.0, 1))
    before = journal.start(2.0, 2)
    journal.frame(3.0, "!", {"event": "journal_dropped", "count": 3, "client": "c1"}, gen=0, pid=None)
    journal.notify(4.0, "item/agentMessage/delta", *before, delta="it goes on")
    journal.start(5.0, 3)
    journal.frame(6.0, "!", {"event": "journal_dropped", "count": 2, "client": "c1"}, gen=0, pid=None)
    after = journal.start(7.0, 4)
    found = {turn.id: turn for turn in load(journal.path).turns}
    why = "its end may be among the 2 lines that were not written"
    assert [found[f"turn-c1-{number}"].why for number in (1, 2, 3)] == ["", why, why]
    assert found[after[1]].why == "the journal has no end of it: the program was killed, or still runs"
    assert why in "\n".join(sentences.lines(summary.facts(load(journal.path))))


def test_several_clients_in_a_directory_and_generations_of_one(tmp_path: Path) -> None:
    first = write_turns(tmp_path / "a.jsonl", 3)
    first.event(20.0, "process_exited", exit_code=-9, signal="SIGKILL")
    first.frame(21.0, "!", {"event": "process_started", "client": "c1"}, gen=2, pid=10)
    first.frame(
        22.0, "<", {"method": "turn/started", "params": {"threadId": "t", "turn": {"id": "late"}}}, gen=2, pid=10
    )
    second = Written(tmp_path / "b.jsonl", "c2")
    ids = second.start(3.0, 0)
    second.end(4.0, ids, "interrupted")
    history = load(tmp_path)
    assert [(each.client, each.generation, each.why) for each in history.runtimes] == [
        ("c1", 1, "SIGKILL"),
        ("c1", 2, ""),
        ("c2", 1, ""),
    ]
    by_id = {turn.id: turn for turn in history.turns}
    assert len(by_id) == 5
    assert by_id["late"].runtime.generation == 2
    assert (by_id["turn-c2-0"].status, by_id["turn-c2-0"].why) == (
        "interrupted",
        "not by turn/interrupt of this client",
    )


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("commandExecution", "command"),
        ("fileChange", "patch"),
        ("mcpToolCall", "tool"),
        ("collabAgentToolCall", "agent"),
        ("webSearch", "web search"),
        ("agentMessage", "model"),
    ],
)
def test_a_silence_says_what_the_turn_waited_for(tmp_path: Path, kind: str, word: str) -> None:
    journal = Written(tmp_path / "run.jsonl")
    ids = journal.start(0.0, 0)
    journal.item(1.0, 60.0, ids, {"id": "i", "type": kind})
    journal.end(61.0, ids)
    history = load(journal.path)
    [turn] = history.turns
    assert turn.silences[0] == Silence(history.began + 1.0, 59.0, word)
    assert f"59.0 s on {word}, turn {turn.id}" in "\n".join(sentences.lines(summary.facts(history)))


def test_a_turn_that_the_program_has_given_up(tmp_path: Path) -> None:
    journal = Written(tmp_path / "run.jsonl")
    ids = journal.start(0.0, 0)
    params = {"threadId": ids[0], "turnId": ids[1]}
    journal.frame(1.0, ">", {"id": "undo", "method": "turn/interrupt", "params": params})
    journal.event(1.0, "turn_abandoned", thread_id=ids[0], turn_id=ids[1], reason="TurnTimeoutError")
    journal.end(2.0, ids, "interrupted")
    [turn] = load(journal.path).turns
    assert turn.why == "by this program, which gave it up: TurnTimeoutError: turn/interrupt 1.000 s after its beginning"


def test_who_interrupted_a_turn_by_an_approval(tmp_path: Path) -> None:
    journal = Written(tmp_path / "run.jsonl")
    ids = journal.start(0.0, 0)
    params = {"threadId": ids[0], "turnId": ids[1], "itemId": "i"}
    journal.frame(1.0, "<", {"id": 0, "method": "item/fileChange/requestApproval", "params": params})
    journal.frame(2.0, ">", {"id": 0, "result": {"decision": "cancel"}})
    journal.end(3.0, ids, "interrupted")
    unanswered = journal.start(4.0, 1)
    params = {"threadId": unanswered[0], "turnId": unanswered[1], "callId": "x", "tool": "weather"}
    journal.frame(5.0, "<", {"id": 1, "method": "item/tool/call", "params": params})
    journal.event(65.0, "connection_closed", reason="the runtime exited", stderr=[])
    journal.event(65.0, "process_exited", exit_code=101)
    history = load(journal.path)
    assert history.turns[0].why == "by this program: it answered an approval with cancel"
    assert history.turns[1].silences[0] == Silence(history.began + 5.0, 60.0, "tool")
    assert history.turns[1].why == "the runtime exited; exit code 101"
    text = "\n".join(sentences.lines(summary.facts(history)))
    assert "tool: 1, together 0 ms, longest 0 ms, 1 without an end" in text
    assert "it waited for the tool" in text


@pytest.mark.parametrize("content", [b"", b"\n", b"all:\n\techo\n", b"\xff\x00" * 100])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Makefile"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="is no journal, or an empty one"):
        load(path)
    with pytest.raises(ConfigError, match="is no journal, or an empty one"):
        load(tmp_path)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["", "a", "error", "completed", "commandExecution"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["threadId", "turnId", "turn", "id", "item", "type", "error", "status", "tokenUsage", "total"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)
METHODS = st.sampled_from([*Building()._events, "turn/interrupt", "item/tool/call", 5, None])  # noqa: SLF001  all it handles
FRAMES = st.dictionaries(st.sampled_from(["id", "result", "error", "event", "count"]), JSON) | st.fixed_dictionaries(
    {"method": METHODS, "params": JSON}, optional={"id": JSON}
)


@given(st.lists(st.tuples(st.sampled_from("<>!?"), FRAMES), max_size=12))
def test_no_frame_ends_the_reading(frames: list[tuple[str, dict[str, object]]]) -> None:
    building = Building()
    for at, (direction, frame) in enumerate(frames):
        building.add(Envelope(float(at), float(at), direction, 1, 9, frame))
    building.finish()
    assert building.history.lines == len(frames)
    assert list(sentences.lines(summary.facts(building.history)))


def test_a_request_that_was_noted_after_its_answer_is_no_other_one(tmp_path: Path) -> None:
    journal = Written(tmp_path / "run.jsonl")
    journal.frame(1.1, "<", {"id": 1, "result": {"turn": {"id": "turn", "status": "inProgress"}}})
    params = {"threadId": "thread", "input": [{"type": "text", "text": "the prompt"}]}
    journal.frame(1.0, ">", {"id": 1, "method": "turn/start", "params": params})
    [turn] = load(journal.path).turns
    assert (turn.prompt, turn.is_cut) == ("the prompt", False)
    assert turn.began == pytest.approx(1e9 + 1.0)
    [request] = load(journal.path).requests
    assert request.seconds == pytest.approx(0.1)
