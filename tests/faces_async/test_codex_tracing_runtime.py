"""The runtime's own spans join those of the client, in a collector on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AsyncCodex, ConfigError
from openai_codex._engine.recent import Recent
from openai_codex.testing import FakeAppServer, QuietHome, ScriptedModel
from openai_codex.types import ModelListParams
from tests.support.bounds import PATIENCE, eventually
from tests.support.collector import Collector, collector
from tests.support.tracing import Recorder, id_of, recorded, tracer

JSON = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}


@pytest.fixture
def spans() -> Iterator[Recorder]:
    with recorded() as recorder:
        yield recorder


@pytest.fixture
def collected() -> Iterator[Collector]:
    with collector() as found:
        yield found


@pytest.mark.parametrize("by", ["argument", "variable", "variable of traces"])
async def test_the_spans_of_the_runtime_are_in_the_trace_of_the_caller(
    codex_home: QuietHome, scripted_model: ScriptedModel, spans: Recorder, collected: Collector, by: str
) -> None:
    otel, env = {
        "argument": (collected.url, {}),
        "variable": (True, {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.base}),
        "variable of traces": (True, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collected.url}),
    }[by]
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=planted"}
    async with AsyncCodex(codex_home.config(otel=otel, env={**JSON, **headers, **env})) as codex:
        with tracer().start_as_current_span("caller") as caller:
            thread = await codex.thread_start()
            await thread.run("go", timeout=PATIENCE)
            command = actor_command(codex)
    trace_id = caller.get_span_context().trace_id

    def parents_by_name() -> dict[str, Any]:
        return {each["name"]: each.get("parentSpanId") for each in collected.of_trace(trace_id)}

    # They come in several requests.
    assert eventually(lambda: {"turn/start", "thread/start"} <= parents_by_name().keys() and len(parents_by_name()) > 5)
    parents = parents_by_name()
    # The request that starts the turn is below the turn, all other requests are below their caller.
    assert parents["turn/start"] == f"{id_of(spans.turn()):016x}"
    assert parents["thread/start"] == f"{caller.get_span_context().span_id:016x}"
    assert {path for path, _ in collected.requests} == {"/v1/traces"}
    assert {headers["x-tenant"] for _, headers in collected.requests} == {"planted"}
    assert "planted" not in " ".join(command)
    (asked,) = scripted_model.requests
    assert f"{trace_id:032x}" in asked.headers["traceparent"]


def actor_command(codex: AsyncCodex) -> tuple[str, ...]:
    process = codex.health()
    assert process.pid is not None
    return tuple(Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8").split("\0"))


@pytest.mark.parametrize("otel", [False, True])
async def test_each_request_has_the_context_of_its_caller_if_tracing_is_on(
    spans: Recorder, otel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[bytes] = []
    keep = Recent.keep_sent
    monkeypatch.setattr(Recent, "keep_sent", lambda recent, at, line: (lines.append(line), keep(recent, at, line)))
    with FakeAppServer() as server:
        server.on("model/list", {"data": [], "nextCursor": None})
        async with AsyncCodex(server.config(otel=otel)) as codex:
            await codex.request(ModelListParams(), timeout=PATIENCE)
            with tracer().start_as_current_span("caller") as caller:
                await codex.request(ModelListParams(), timeout=PATIENCE)
    context = caller.get_span_context()
    expected = {"traceparent": f"00-{context.trace_id:032x}-{context.span_id:016x}-01"} if otel else None
    frames = [json.loads(line) for line in lines]
    assert [each["method"] for each in frames] == ["initialize", "initialized", "model/list", "model/list"]
    assert [each.get("trace") for each in frames] == [None, None, None, expected]


async def test_a_collector_that_is_not_there_costs_no_turn(codex_home: QuietHome, spans: Recorder) -> None:
    with collector() as gone:
        url = gone.url
    async with AsyncCodex(codex_home.config(otel=url, env=JSON)) as codex:
        result = await (await codex.thread_start()).run("go", timeout=PATIENCE)
    assert result.final_response == "ok"


async def test_credentials_in_the_variable_of_the_endpoint_are_refused(codex_home: QuietHome) -> None:
    config = codex_home.config(otel=True, env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:planted@h/"})
    with pytest.raises(ConfigError, match=r"OTEL_EXPORTER_OTLP_ENDPOINT: .*OTEL_EXPORTER_OTLP_HEADERS") as caught:
        async with AsyncCodex(config):
            pass
    assert "planted" not in str(caught.value)
