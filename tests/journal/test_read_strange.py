"""Whatever a file is, reading, summing up, showing and replaying it as a journal is done, or refused in one sentence."""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_codex import ConfigError
from openai_codex._cli.main import main
from openai_codex._journal.read import Envelope, headers, read
from openai_codex.testing import offline, replay
from tests.support.cli import ended
from tests.support.journals import run_exercise, write_turns

ACTIONS = [
    ["summary"],
    ["summary", "--json"],
    ["timeline"],
    ["timeline", "--html", "OUT"],
    ["timeline", "--chrome", "OUT"],
    ["grep", "--turn", "0"],
    ["grep", "--method", "turn"],
    ["report"],
    ["report", "--turn", "0"],
]

HEADER = {"journal": 1, "client": "c1", "part": 0, "pid": 1, "at": 1.0, "t": 1.0}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of a journal of the real runtime."""
    with offline() as kit:
        return (
            run_exercise(kit.config, kit.model, tmp_path_factory.mktemp("journal") / "run.jsonl")
            .path.read_bytes()
            .splitlines(True)
        )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strange") / "run.jsonl"


def done(*arguments: str) -> tuple[int, bytes, str]:
    """Run the command line in this process: without a traceback, whatever the file is."""
    out, errors = io.BytesIO(), io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(out, "utf-8"))
        patch.setattr(sys, "stderr", io.TextIOWrapper(errors, "utf-8"))
        code = main(["trace", *arguments])
        sys.stdout.flush()
        sys.stderr.flush()
        return code, out.getvalue(), errors.getvalue().decode()


def check(path: Path) -> None:
    """Do everything with a file: each works, or says in one sentence why it does not."""
    for action in (
        lambda: list(read(path)),
        lambda: list(headers(path)),
        lambda: replay(path),
        lambda: replay(path, client="c1"),
    ):
        with contextlib.suppress(ConfigError):
            action()
    for arguments in ACTIONS:
        code, _, errors = done(
            str(path), *(str(path.with_suffix(".out")) if each == "OUT" else each for each in arguments)
        )
        assert code in {0, 1}
        assert errors.count("\n") == code, errors
        assert "cannot be written" not in errors


strange = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["<", ">", "!", "c1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
frames = st.fixed_dictionaries(
    {},
    optional={
        "id": values,
        "method": st.sampled_from(
            [
                "turn/start",
                "turn/started",
                "item/completed",
                "initialize",
                "thread/tokenUsage/updated",
                "turn/completed",
                "error",
            ]
        )
        | values,
        "params": st.fixed_dictionaries(
            {}, optional={"threadId": values, "turnId": values, "item": values, "turn": values, "tokenUsage": values}
        )
        | values,
        "result": st.fixed_dictionaries(
            {},
            optional={"thread": values, "turn": st.fixed_dictionaries({}, optional={"id": values, "status": values})},
        )
        | values,
        "error": values,
        "event": st.sampled_from(
            [
                "process_exited",
                "connection_closed",
                "journal_dropped",
                "runtime_ready",
                "turn_interrupt_asked",
                "turn_abandoned",
            ]
        )
        | values,
        "count": values,
        "exit_code": values,
        "client": values,
        "request_id": values,
        "turn_id": values,
        "reason": values,
    },
)
times = st.floats(0, 100)
envelopes = st.fixed_dictionaries(
    {
        "t": times | values,
        "at": times | values,
        "dir": st.sampled_from("<>!") | values,
        "gen": st.integers(0, 2) | values,
        "pid": st.none() | st.just(9) | values,
        "frame": frames | values,
    },
    optional={"client": values, "reason": values, "line": values},
)
likely = st.fixed_dictionaries(
    {
        "t": times,
        "at": times,
        "dir": st.sampled_from("<>!"),
        "gen": st.integers(0, 2),
        "pid": st.none() | st.just(9),
        "frame": frames,
    }
)
heads = st.fixed_dictionaries(
    {"journal": st.just(1) | values},
    optional=dict.fromkeys([*list(HEADER)[1:], "runtimes", "redact", "content", "sdk"], values),
)


@strange
@given(content=st.binary())
def test_bytes(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    check(file)


@strange
@given(lines=st.lists(values | envelopes | likely | heads, max_size=12), begins=st.booleans())
def test_lines_of_json(file: Path, lines: list[Any], begins: bool) -> None:
    file.write_bytes(b"\n".join(orjson.dumps(each) for each in ([HEADER] if begins else []) + lines))
    check(file)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where something is in a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


# What may stand where something else is expected.
OTHERS: list[Any] = [
    None,
    True,
    0,
    -1,
    2**64 - 1,
    1e300,
    "",
    "x",
    "<",
    [],
    {},
    [[]],
    ["x", 1],
    {"x": {}},
    {"id": []},
    {"id": "x"},
]


@strange
@given(seed=st.integers(0, 2**32))
def test_a_real_journal_with_other_values(file: Path, real: list[bytes], seed: int) -> None:
    draw = random.Random(seed)
    lines = [orjson.loads(line) for line in real]
    for _ in range(draw.randint(1, 40)):
        changed = draw.choice(lines)
        if found := list(places(changed)):
            *above, last = draw.choice(found)
            for key in above:
                changed = changed[key]
            if draw.random() < 0.3:
                del changed[last]
            else:
                changed[last] = copy.deepcopy(draw.choice(OTHERS))  # it may be changed next, and must not hold itself
    file.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    check(file)


@strange
@given(seed=st.integers(0, 2**32))
def test_a_real_journal_that_is_cut_or_damaged(file: Path, real: list[bytes], seed: int) -> None:
    draw = random.Random(seed)
    content = bytearray(b"".join(real))
    for _ in range(draw.randint(0, 20)):
        content[draw.randrange(len(content))] = draw.randrange(256)
    begin, end = sorted(draw.choices(range(len(content)), k=2))
    file.write_bytes(content[begin * draw.randint(0, 1) : end])
    check(file)


STRANGE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is no journal, or an empty one"),
    "text": (b"noise\n", "is no journal, or an empty one"),
    "binary": (bytes(range(256)) * 9, "is no journal, or an empty one"),
    "other-json": (b'{"level":"info","msg":"x"}\n' * 3, "is no journal, or an empty one"),
    "no-header": (b'{"journal":true,"client":"c"}\n', "is no journal, or an empty one"),
    "types": (
        b'{"journal":1,"client":["c"]}\n{"t":"1","at":1,"dir":"<","gen":1,"pid":1,"frame":{}}\n',
        "is no journal",
    ),
    "gzip": (gzip.compress(b"x"), "is compressed"),
    "newer": (b'{"journal":2,"client":{}}\n', "is a journal of format 2; this version reads format 1"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_file_is_one_sentence_everywhere(tmp_path: Path, name: str) -> None:
    content, said = STRANGE[name]
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    actions: list[Callable[[], object]] = [lambda: list(read(path)), lambda: list(headers(path)), lambda: replay(path)]
    for action in actions:
        with pytest.raises(ConfigError, match=said):
            action()
    for arguments in ACTIONS:
        out = tmp_path / "out"
        code, written, errors = done(str(path), *(str(out) if each == "OUT" else each for each in arguments))
        assert (code, written) == (1, b"")
        assert said in errors
        assert "ConfigError" not in errors
        assert errors.count("\n") == 1
        assert not out.exists()
    process = ended(None, "trace", str(path), "summary")
    assert (process.code, process.out, process.errors.count("\n")) == (1, "", 1)


def test_what_a_file_makes_fail_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise KeyError("two\nlines")

    path = write_turns(tmp_path / "run.jsonl", 1).path
    monkeypatch.setattr("openai_codex._journal.summary.facts", fail)
    code, written, errors = done(str(path), "summary")
    assert (code, written) == (1, b"")
    assert errors.count("\n") == 1
    assert "has lines that cannot be shown: KeyError" in errors


def test_a_directory_without_journals_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("x")
    (tmp_path / "other.jsonl").write_text('{"x": 1}\n')
    with pytest.raises(ConfigError, match="is no journal, or an empty one"):
        list(read(tmp_path))
    write_turns(tmp_path / "run.jsonl", 1)
    assert list(read(tmp_path)), "other files are passed over"


def test_a_header_alone_is_a_journal_in_which_nothing_has_happened_yet(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(json.dumps(HEADER))
    assert list(read(path)) == []
    assert [each.client for each in headers(path)] == ["c1"]
    code, out, _ = done(str(path), "summary")
    assert (code, b"turns: 0" in out) == (0, True)
    with pytest.raises(ConfigError, match="has no frames"):
        replay(path)


def test_fields_of_other_types_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    good: dict[str, Any] = {"t": 1.0, "at": 1, "dir": "<", "gen": 1, "pid": None, "frame": {}}
    bad: dict[str, list[Any]] = {
        "t": ["1", True, None, 1e300],
        "at": ["x", -1e12],
        "dir": [3, None],
        "gen": [None, "1", 1.5, True],
        "pid": ["7", 1.0],
        "frame": [[], 3],
    }
    path.write_bytes(
        b"".join(orjson.dumps({**good, name: value}) + b"\n" for name in bad for value in bad[name])
        + orjson.dumps(good)
    )
    assert [(each.t, each.gen) for each in read(path)] == [(1.0, 1)]
    other: dict[str, list[Any]] = {
        "client": [3, None],
        "part": ["0", True],
        "at": ["x", 1e300],
        "redact": ["a", [3]],
        "runtimes": [3, ["x"]],
        "sdk": [1],
    }
    path.write_bytes(
        b"".join(orjson.dumps({**HEADER, name: value}) + b"\n" for name in other for value in other[name])
        + orjson.dumps(HEADER)
    )
    assert len(list(headers(path))) == 1
    assert Envelope(0, 0, "!", 0, None, {"event": ["x"]}).event is None
