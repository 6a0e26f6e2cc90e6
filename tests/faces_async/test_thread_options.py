"""For every option of start, resume, fork and turn, and every state of the thread: what becomes of it on the real runtime.

`steer` takes input only; what becomes of skills there is in `test_preparing`.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import attrs
import orjson
import pytest

from openai_codex import AsyncCodex, AsyncThread, ConfigError, tool
from openai_codex.testing import Gate, QuietHome, RecordedRequest, ScriptedModel, say, temporary_home
from openai_codex.types import DangerFullAccessSandboxPolicy, ReadOnlySandboxPolicy, ThreadResumeParams
from tests.support.bounds import PATIENCE

# holds    in force in the next turn, as the request to the provider or the runtime itself reports
# warned   without effect, and the log says so
# refused  `ConfigError`, and the thread has the settings that it had
# sent     a label, which the runtime keeps to itself
# -        the verb has no such option
TABLE = """
                        start    idle, loaded               active                     not loaded
                                 turn     resume   fork     turn     resume   fork     resume   fork
approval_mode           holds    holds    holds    holds    refused  refused  holds    holds    holds
approval_policy         holds    holds    holds    holds    refused  refused  holds    holds    holds
approvals_reviewer      holds    holds    holds    holds    refused  refused  holds    holds    holds
base_instructions       holds    -        holds    holds    -        refused  holds    holds    holds
config                  holds    -        holds    holds    -        refused  holds    holds    holds
cwd                     holds    holds    holds    holds    refused  refused  holds    holds    holds
developer_instructions  holds    -        holds    holds    -        refused  holds    holds    holds
effort                  -        holds    -        -        refused  -        -        -        -
model                   holds    holds    holds    holds    refused  refused  holds    holds    holds
model_provider          holds    -        holds    holds    -        refused  holds    holds    holds
output_schema           -        holds    -        -        refused  -        -        -        -
personality             warned   warned   warned   -        refused  warned   -        warned   -
sandbox                 holds    holds    holds    holds    refused  refused  holds    holds    holds
sandbox_policy          -        holds    -        -        refused  -        -        -        -
service_name            sent     -        -        -        -        -        -        -        -
service_tier            holds    holds    holds    holds    refused  refused  holds    holds    holds
session_start_source    holds    -        -        -        -        -        -        -        -
source                  -        holds    -        -        refused  -        -        -        -
summary                 -        holds    -        -        refused  -        -        -        -
thread_source           holds    -        -        holds    -        -        holds    -        holds
tools                   holds    -        refused  refused  -        refused  refused  refused  refused
turn_service_tier       -        holds    -        -        refused  -        -        -        -
"""
COLUMNS = ("start", "turn", "resume", "fork", "active turn", "active resume", "active fork", "cold resume", "cold fork")
ROWS = {name: dict(zip(COLUMNS, cells, strict=True)) for name, *cells in map(str.split, TABLE.strip().splitlines()[2:])}

# What is no setting, or is a setting of the thread that is made, and where it is tested.
ELSEWHERE = {
    "before_turn_id": "verbs/test_threads",
    "ephemeral": "verbs/test_threads",
    "include_turns": "verbs/test_threads",
    "last_turn_id": "verbs/test_threads",
    "output_type": "the schemas; on the wire it is an output_schema",
    "timeout": "test_codex_timeouts",
}


@tool
def look(at: str) -> str:
    """Look."""
    return at


@tool
def ask(at: str) -> str:
    """Ask."""
    return at


@attrs.frozen
class Probe:
    """Two values of an option, and what shows which of them is in force."""

    values: tuple[Any, Any]
    fact: str = ""
    seen: tuple[Any, Any] = ("", "")


def schema(name: str) -> dict[str, Any]:
    properties = {name: {"type": "string"}}
    return {"type": "object", "properties": properties, "required": [name], "additionalProperties": False}


# What holds for one turn.
PER_TURN = {"output_schema", "session_start_source", "source", "turn_service_tier"}

PROBES = {
    "approval_mode": Probe(("deny_all", "auto_review"), "approval_policy", ("never", "on-request")),
    "approval_policy": Probe(("never", "untrusted"), "approval_policy", ("never", "untrusted")),
    "approvals_reviewer": Probe(("user", "auto_review"), "approvals_reviewer", ("user", "auto_review")),
    "base_instructions": Probe(("Base A.", "Base B."), "base", ("Base A.", "Base B.")),
    "config": Probe(
        ({"model_reasoning_summary": "detailed"}, {"model_reasoning_summary": "concise"}),
        "summary",
        ("detailed", "concise"),
    ),
    "cwd": Probe(("/usr", "/var"), "cwd", ("/usr", "/var")),
    "developer_instructions": Probe(("Be A.", "Be B."), "instructions", ("Be A.", "Be B.")),
    "effort": Probe(("low", "high"), "effort", ("low", "high")),
    "model": Probe(("mock-model", "gpt-5.5"), "model", ("mock-model", "gpt-5.5")),
    "model_provider": Probe(("mock", "other"), "provider", ("mock", "other")),
    "output_schema": Probe((schema("a"), schema("b")), "schema", (schema("a"), schema("b"))),
    "personality": Probe(("friendly", "pragmatic")),
    "sandbox": Probe(("read-only", "full-access"), "sandbox", ("read-only", "danger-full-access")),
    "sandbox_policy": Probe(
        (ReadOnlySandboxPolicy(), DangerFullAccessSandboxPolicy()), "sandbox", ("read-only", "danger-full-access")
    ),
    "service_name": Probe(("one", "two")),
    "service_tier": Probe(("flex", "default"), "tier", ("flex", None)),
    "session_start_source": Probe(("clear", "startup"), "history_initialization", ("cleared", "none")),
    "source": Probe(("one", "two"), "turn_trigger", ("one", "two")),
    "summary": Probe(("detailed", "concise"), "summary", ("detailed", "concise")),
    "thread_source": Probe(("one", "two"), "thread_source", ("one", "two")),
    "tools": Probe(([look], [ask]), "tools", (["look"], ["ask"])),
    "turn_service_tier": Probe(("flex", "default"), "tier", ("flex", None)),
}


def facts_of(request: RecordedRequest) -> dict[str, Any]:
    """Return what a request to the provider shows of the settings of its turn."""
    body, texts = request.json, "\n".join(request.developer_texts)
    reasoning = body.get("reasoning") or {}
    return {
        **orjson.loads(request.headers["x-codex-turn-metadata"]),
        "base": request.developer_texts[0],
        "cwd": re.findall("<cwd>(.*?)</cwd>", "\n".join(request.user_texts))[-1],
        "effort": reasoning.get("effort"),
        "instructions": ([text for text in request.developer_texts if text.startswith("Be ")] or [None])[-1],
        "model": request.model,
        "provider": request.headers.get("x-provider"),
        "sandbox": re.findall("`sandbox_mode` is `(.*?)`", texts)[-1],
        "schema": body.get("text", {}).get("format", {}).get("schema"),
        "summary": reasoning.get("summary"),
        "tier": body.get("service_tier"),
        "tools": [each["name"] for each in request.tools if each.get("name") in {"look", "ask"}],
    }


@pytest.fixture
def home(scripted_model: ScriptedModel) -> Iterator[QuietHome]:
    """Return a home with two providers, which are told apart by a header."""
    other = {"name": "other", "wire_api": "responses", "base_url": scripted_model.url}
    providers = {
        "other": {**other, "http_headers": {"x-provider": "other"}},
        "mock": {"http_headers": {"x-provider": "mock"}},
    }
    with temporary_home(scripted_model.url, config={"model_providers": providers}) as made:
        yield made


@attrs.define
class Trial:
    """One option, tried in one state after another; the value given is always the one that is not in force."""

    model: ScriptedModel
    log: pytest.LogCaptureFixture
    option: str
    thread: AsyncThread | None = None
    current: int | None = None
    outcomes: dict[str, str] = attrs.Factory(dict)

    async def facts(self, codex: AsyncCodex, thread: AsyncThread, **settings: Any) -> Any:
        """Run a turn and return the fact that shows the option."""
        await thread.run("go", timeout=PATIENCE, **settings)
        facts = facts_of(self.model.requests[-1])
        fact = PROBES[self.option].fact
        if fact.startswith("approval"):  # what the provider does not see
            reply = await codex.request(ThreadResumeParams(thread_id=thread.id, exclude_turns=True))
            facts |= {"approval_policy": reply.approval_policy, "approvals_reviewer": reply.approvals_reviewer}
        return facts.get(fact)

    async def give(
        self, codex: AsyncCodex, state: str, verb: Callable[..., Awaitable[Any]], *, keeps: bool = True
    ) -> None:
        """Give the option to a verb in a state, and note what becomes of it. ``keeps``: the verb is about the thread."""
        if ROWS[self.option][state] == "-":
            return
        probe, given = PROBES[self.option], 0 if self.current is None else 1 - self.current
        self.log.clear()
        try:
            made = await verb(**{self.option: probe.values[given]})
        except ConfigError:
            self.outcomes[state] = "refused"
            return
        warned = any("codex.setting_" in record.getMessage() for record in self.log.records)
        found = made if not isinstance(made, AsyncThread) else await self.facts(codex, made)
        holds = ("holds" if found == probe.seen[given] else "ignored") if probe.fact else "sent"
        self.outcomes[state] = "warned" if warned else holds
        if keeps:
            self.current = given
            self.thread = made if isinstance(made, AsyncThread) else self.thread

    async def check_unchanged(self, codex: AsyncCodex) -> None:
        """Check that what was refused, and what was given to a fork, has changed nothing."""
        probe = PROBES[self.option]
        if self.current is not None and self.thread is not None and probe.fact and self.option not in PER_TURN:
            assert await self.facts(codex, self.thread) == probe.seen[self.current]

    async def try_all(self, home: QuietHome) -> None:
        """Try the option in every state."""
        async with AsyncCodex(home.config()) as codex:
            await self.give(codex, "start", codex.thread_start)
            if self.thread is None:
                self.thread = await codex.thread_start()
                await self.facts(codex, self.thread)
            await self.give(codex, "turn", partial(self.facts, codex, self.thread))
            await self.give(codex, "resume", partial(codex.thread_resume, self.thread.id))
            await self.give(codex, "fork", partial(codex.thread_fork, self.thread.id), keeps=False)
            gate = Gate()
            self.model.queue(say("slow", gate=gate))
            turn = await self.thread.turn("slow")
            await gate.reached()
            await self.give(codex, "active turn", partial(self.thread.turn, "more"))
            await self.give(codex, "active resume", partial(self.resume, codex))
            await self.give(codex, "active fork", partial(codex.thread_fork, self.thread.id), keeps=False)
            gate.open()
            await turn.run(timeout=PATIENCE)
            await self.check_unchanged(codex)
        async with AsyncCodex(home.config()) as codex:
            await self.give(codex, "cold fork", partial(codex.thread_fork, self.thread.id), keeps=False)
            await self.give(codex, "cold resume", partial(codex.thread_resume, self.thread.id))

    async def resume(self, codex: AsyncCodex, **settings: Any) -> None:
        """Resume the thread, without a turn to see the effect, as one is active."""
        assert self.thread is not None
        await codex.thread_resume(self.thread.id, **settings)


@pytest.mark.parametrize("option", ROWS)
async def test_what_becomes_of_an_option(
    home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture, option: str
) -> None:
    caplog.set_level(logging.WARNING, "openai_codex")
    trial = Trial(scripted_model, caplog, option)
    await trial.try_all(home)
    assert trial.outcomes == {state: cell for state, cell in ROWS[option].items() if cell != "-"}


@pytest.mark.parametrize("verb", ["start", "resume", "fork", "turn"])
def test_the_table_has_every_option(verb: str) -> None:
    function: Any = AsyncThread.turn if verb == "turn" else getattr(AsyncCodex, f"thread_{verb}")
    options = {each.name for each in inspect.signature(function).parameters.values() if each.kind == each.KEYWORD_ONLY}
    assert options - ELSEWHERE.keys() == {name for name, cells in ROWS.items() if cells[verb] != "-"}
    assert PROBES.keys() == ROWS.keys()
