"""A job is a value: checked when it is made, and the same after pickle and JSON."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import attrs
import pytest

from openai_codex import ConfigError, Job, Sandbox
from openai_codex.types import Personality
from tests.jobs.things import Answer

NO_TEXTS = [3, True, b"x", ["x"], "\ud800", "a\0b"]
NO_SECONDS = [True, 0, -1, math.nan, math.inf, "5", 1j]
NO_COUNTS = [True, -1, 1.5, "5"]

BAD: dict[str, list[Any]] = {
    "prompts": ["Hi", 3, None, [], [3], ["\ud800"], {"a": 1}, b"x"],
    "thread": [3, "x", ["model"], {"nope": 1}, {"tools": []}, {"cwd": "/"}, {"model": 3}, {"sandbox": "none"}, {3: 1}],
    "turn": [3, "x", {"nope": 1}, {"timeout": 3}, {"input": "x"}, {"output_type": 3}, {"effort": 3}, {"cwd": "/"}],
    "output_type": [3, "Answer", "pkg.mod", ":x", "a b:c", ["x"], "a:b\0"],
    "tools": ["pkg.mod:fn", 3, None, ["fn"], [3], {"a": 1}, [len]],
    "timeout": NO_SECONDS,
    "max_tokens": [*NO_COUNTS, 0],
    "on_budget": [3, "fn", len],
    "retries": [*NO_COUNTS, None],
    "key": [*NO_TEXTS, "", " "],
    "labels": [3, "x", ["x"], {"a": 1}, {3: "x"}],
    "cwd": [*NO_TEXTS, ""],
    "repo": [*NO_TEXTS, ""],
    "ref": [*NO_TEXTS, "", " ", "--all"],
    "keep": ["sometimes", None, True, 3, ["always"]],
    "idempotent": [0, 1, "yes", None],
}

WHOLE = Job(
    prompts=["One", "Two"],
    thread={"sandbox": Sandbox.read_only, "model": "m"},
    turn={"effort": "low", "personality": Personality.none},
    output_type=Answer,
    tools=["tests.jobs.things:weather"],
    timeout=5,
    max_tokens=1_000,
    on_budget="tests.jobs.things:more",
    retries=2,
    key="k",
    labels={"a": "b"},
    cwd=Path("/r"),
    idempotent=True,
)


def test_the_table_names_every_field() -> None:
    assert set(BAD) == {each.name for each in attrs.fields(Job)}


@pytest.mark.parametrize(
    ("name", "bad"), [pytest.param(name, bad, id=f"{name}-{i}") for name in BAD for i, bad in enumerate(BAD[name])]
)
def test_a_job_refuses_what_cannot_work(name: str, bad: Any) -> None:
    fields: dict[str, Any] = {"prompts": ["Hi"], name: bad}
    if name == "on_budget":
        fields["max_tokens"] = 1
    with pytest.raises(ConfigError) as caught:
        Job(**fields)
    assert caught.value.what.startswith(name)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"on_budget": "a:b"}, "when max_tokens is exceeded"),
        ({"repo": "/r", "cwd": "/r"}, "give one of them"),
        ({"ref": "main"}, "ref: .*give repo"),
        ({"keep": "always"}, "keep: .*give repo"),
        ({"output_type": Answer, "turn": {"output_schema": {}}}, "brings its own schema"),
    ],
)
def test_fields_that_exclude_each_other_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Job(prompts=["Hi"], **fields)


def test_a_class_that_no_other_process_finds_is_refused() -> None:
    @attrs.frozen
    class Local:
        number: int

    with pytest.raises(ConfigError, match="defined in a function"):
        Job(prompts=["Hi"], output_type=Local)


def test_a_job_is_the_same_after_pickle_and_json() -> None:
    assert pickle.loads(pickle.dumps(WHOLE)) == WHOLE  # noqa: S301  our own bytes
    assert Job.from_dict(json.loads(json.dumps(WHOLE.to_dict()))) == WHOLE
    assert WHOLE.output_type == "tests.jobs.things:Answer"
    assert WHOLE.thread == {"sandbox": "read-only", "model": "m"}


@pytest.mark.parametrize("name", ["cwd", "repo"])
def test_a_directory_is_named_by_its_absolute_path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fields: dict[str, Any] = {name: Path("r")}
    job = Job(prompts=["Hi"], **fields)
    monkeypatch.chdir("/")
    assert getattr(job, name) == str(tmp_path / "r")
    assert Job.from_dict(json.loads(json.dumps(job.to_dict()))) == job


def test_json_that_is_no_job_is_refused() -> None:
    with pytest.raises(ConfigError, match="'nope'"):
        Job.from_dict({**WHOLE.to_dict(), "nope": 1})


def test_equal_jobs_have_one_fingerprint() -> None:
    assert Job(prompts=["Hi"], labels={"a": "1", "b": "2"}).fingerprint() == (
        Job(prompts=("Hi",), labels={"b": "2", "a": "1"}).fingerprint()
    )
    assert Job(prompts=["Hi"]).fingerprint() != Job(prompts=["Ho"]).fingerprint()
