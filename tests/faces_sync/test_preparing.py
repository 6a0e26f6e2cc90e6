# Derived from tests/faces_async/test_preparing.py by `python -m tools.unasync`; do not edit.
"""What only the runtime knows about a turn is asked before it starts."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    ConfigError,
    InvalidRequestError,
    RequestTimeoutError,
    Sandbox,
    SkillInput,
    TextInput,
    Thread,
    TurnTimeoutError,
)
from openai_codex._turns.inputs import MOST_CHARACTERS
from openai_codex.testing import FakeAppServer, Gate, QuietHome, RecordedRequest, ScriptedModel, call, reply, say
from openai_codex.types import SandboxMode, SandboxPolicy, WorkspaceWriteSandboxPolicy
from tests.support.bounds import PATIENCE

PRESETS = [Sandbox.workspace_write, SandboxMode.workspace_write, "workspace-write"]
OPEN: dict[str, Any] = {"network_access": True, "exclude_slash_tmp": True}


def configure(home: QuietHome, *lines: str) -> None:
    """Add a table about the mode to the configuration of a home."""
    text = "\n".join(("", "[sandbox_workspace_write]", *lines, ""))
    home.config_file.write_text(home.config_file.read_text(encoding="utf-8") + text, encoding="utf-8")


def policy_after(thread: Thread, **settings: Any) -> SandboxPolicy:
    """Return the policy that a turn with these settings has set."""
    thread.run("go", timeout=PATIENCE, **settings)
    return thread.settings.sandbox


def test_a_preset_on_a_turn_is_the_mode_as_it_is_configured(codex_home: QuietHome) -> None:
    configure(codex_home, "network_access = true", "exclude_slash_tmp = true", 'writable_roots = ["/var/tmp"]')
    with Codex(codex_home.config()) as codex:
        started = codex.thread_start(sandbox="workspace-write")
        configured = started.settings.sandbox
        assert isinstance(configured, WorkspaceWriteSandboxPolicy)
        assert (configured.network_access, configured.exclude_slash_tmp) == (True, True)
        other = codex.thread_start(sandbox="read-only")
        for preset in PRESETS:
            for thread in (started, other):
                assert policy_after(thread, sandbox="read-only") != configured
                assert policy_after(thread, sandbox=preset) == configured
        assert policy_after(other, sandbox_policy="full-access") != configured
        assert policy_after(other, sandbox_policy="workspace-write") == configured


@pytest.mark.parametrize(
    "config",
    [
        {"sandbox_workspace_write.network_access": False, "sandbox_workspace_write.exclude_tmpdir_env_var": True},
        {"sandbox_workspace_write": {"network_access": False, "exclude_tmpdir_env_var": True}},
    ],
)
def test_the_configuration_of_the_thread_comes_first(codex_home: QuietHome, config: dict[str, Any]) -> None:
    configure(codex_home, "network_access = true", "exclude_slash_tmp = true")
    with Codex(codex_home.config()) as codex:
        for verb in (codex.thread_start, partial(_resumed, codex), partial(_forked, codex)):
            thread = verb(sandbox="workspace-write", config=config)
            configured = thread.settings.sandbox
            assert isinstance(configured, WorkspaceWriteSandboxPolicy)
            assert (configured.network_access, configured.exclude_tmpdir_env_var) == (False, True)
            assert policy_after(thread, sandbox="read-only") != configured
            assert policy_after(thread, sandbox="workspace-write") == configured
        # A resume with other settings leaves it as it is.
        again = codex.thread_resume(thread.id, base_instructions="Other.")
        assert policy_after(again, sandbox="workspace-write") == configured


def _resumed(codex: Codex, **settings: Any) -> Thread:
    thread = codex.thread_start()
    thread.run("go")
    return codex.thread_resume(thread.id, **settings)


def _forked(codex: Codex, **settings: Any) -> Thread:
    thread = codex.thread_start()
    thread.run("go")
    return codex.thread_fork(thread.id, **settings)


def test_the_directory_of_the_turn_decides_which_configuration_counts(codex_home: QuietHome) -> None:
    project = codex_home.path / "project"
    (project / ".codex").mkdir(parents=True)
    (project / ".codex" / "config.toml").write_text("[sandbox_workspace_write]\nnetwork_access = true\n")
    with Codex(codex_home.config()) as codex:
        reference = (codex.thread_start(sandbox="workspace-write", cwd=project)).settings.sandbox
        thread = codex.thread_start(sandbox="read-only")
        assert policy_after(thread, sandbox="workspace-write", cwd=project) == reference


def test_a_full_policy_is_sent_as_it_is(codex_home: QuietHome) -> None:
    configure(codex_home, "network_access = true", "exclude_slash_tmp = true")
    with Codex(codex_home.config()) as codex:
        thread = codex.thread_start(sandbox="workspace-write")
        for name in ("sandbox", "sandbox_policy"):
            sent = WorkspaceWriteSandboxPolicy(network_access=False, exclude_tmpdir_env_var=True)
            policy: Any = policy_after(thread, **{name: sent})
            assert (policy.network_access, policy.exclude_slash_tmp) == (False, False)
            assert policy.exclude_tmpdir_env_var


def test_commands_of_a_turn_with_the_preset_have_the_configured_network(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    configure(codex_home, "network_access = true")
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = f"sleep 0.3; (exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]}) && echo CONNECTED"
        with Codex(codex_home.config()) as codex:
            thread = codex.thread_start(approval_policy="never", sandbox="read-only")
            for sandbox, connects in (("read-only", False), ("workspace-write", True)):
                scripted_model.queue(
                    reply(call("exec_command", {"cmd": command, "yield_time_ms": 15_000})), say("done")
                )
                thread.run("connect", sandbox=sandbox, timeout=PATIENCE)
                outputs = list(scripted_model.requests[-1].function_outputs.values())
                assert ("CONNECTED" in str(outputs[-1])) == connects


def test_a_turn_joins_with_the_preset_that_it_was_started_with(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = Gate()
    scripted_model.queue(say("first", gate=gate))
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        turn = thread.turn("A", sandbox="workspace-write")
        gate.wait_reached()
        assert (thread.turn("B", sandbox="workspace-write")).joined
        gate.open()
        turn.run(timeout=PATIENCE)


def test_errors_of_the_question_are_those_of_the_call() -> None:
    with FakeAppServer() as server:
        server.hold("config/read")
        with Codex(server.config()) as codex:
            thread = codex.thread_start()
            with pytest.raises(TurnTimeoutError) as caught:
                thread.run("go", sandbox="workspace-write", timeout=0.2)
            assert caught.value.timeout == 0.2
            with pytest.raises(RequestTimeoutError) as late:
                thread.turn("go", sandbox="workspace-write", timeout=0.2)
            assert late.value.method == "turn/start"
            server.refuse("config/read", -32600, "broken configuration")
            for verb in (thread.run, thread.turn):
                with pytest.raises(InvalidRequestError, match="broken configuration"):
                    verb("go", sandbox="workspace-write")
        assert server.request_count("turn/start") == 0


# -- skills


def skill(directory: Path, name: str, data: bytes = b"") -> SkillInput:
    """Write a skill into a directory, or what is in the place of its text."""
    file = directory / name / "SKILL.md"
    file.parent.mkdir(parents=True)
    file.write_bytes(data or f"---\nname: {name}\ndescription: how to {name}\n---\nThe way to {name}.\n".encode())
    return SkillInput(name, file)


def texts_of(request: RecordedRequest, name: str) -> list[str]:
    """Return the texts that have a skill."""
    return [text for text in request.user_texts if f"The way to {name}.\n" in text]


PLACES = {"home": ("skills",), "user": ("user", ".agents", "skills"), "outside": ("elsewhere",)}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", ["run", "turn", "join", "steer"])
def test_a_skill_reaches_the_model_wherever_it_is(
    codex_home: QuietHome, scripted_model: ScriptedModel, place: str, how: str
) -> None:
    item = skill(codex_home.path.joinpath(*PLACES[place]), "knit")
    with Codex(codex_home.config()) as codex:
        thread, gate = codex.thread_start(), Gate()
        if how == "run":
            thread.run([TextInput("go"), item], timeout=PATIENCE)
        elif how == "turn":
            (thread.turn([TextInput("go"), item])).run(timeout=PATIENCE)
        else:
            scripted_model.queue(say("first", gate=gate))
            turn = thread.turn("first")
            gate.wait_reached()
            if how == "join":
                assert (thread.turn([TextInput("go"), item])).joined
            else:
                turn.steer([TextInput("go"), item])
            gate.open()
            turn.run(timeout=PATIENCE)
    request = scripted_model.requests[-1]
    assert "go" in request.user_texts
    [text] = texts_of(request, "knit")
    assert text.startswith(f"<skill>\n<name>knit</name>\n<path>{item.path}</path>\n---\n")
    assert text.rstrip().endswith("</skill>")


def test_a_skill_is_found_under_another_path(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    item = skill(codex_home.path / "skills", "knit")
    link = codex_home.path / "link"
    link.symlink_to(Path(item.path).parent)
    with Codex(codex_home.config()) as codex:
        (codex.thread_start()).run(SkillInput("knit", link / "SKILL.md"), timeout=PATIENCE)
    assert len(texts_of(scripted_model.requests[-1], "knit")) == 1


def test_a_skill_that_is_disabled_or_has_no_text_or_too_much_is_refused(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    disabled = skill(codex_home.path / "skills", "knit")
    binary = skill(codex_home.path / "elsewhere", "sew", b"\xff\xfe")
    long = skill(codex_home.path / "elsewhere", "weave", b"over and under\n" * (MOST_CHARACTERS // 15))
    text = codex_home.config_file.read_text(encoding="utf-8")
    codex_home.config_file.write_text(f'{text}\n[[skills.config]]\npath = "{disabled.path}"\nenabled = false\n')
    gate = Gate()
    scripted_model.queue(say("first", gate=gate))
    with Codex(codex_home.config()) as codex:
        thread = codex.thread_start()
        turn = thread.turn("first")
        gate.wait_reached()
        reasons = {
            r"input\[1\]: .*knit is disabled": disabled,
            r"input\[1\]: .*cannot be read": binary,
            f"input: expected at most {MOST_CHARACTERS} characters": long,
        }
        for reason, item in reasons.items():
            for verb in (turn.steer, thread.turn, (codex.thread_start()).run):
                with pytest.raises(ConfigError, match=reason):
                    verb([TextInput("go"), item])
        gate.open()
        turn.run(timeout=PATIENCE)
    assert scripted_model.request_count == 1


# -- settings that the runtime drops without a word


@pytest.mark.parametrize(
    ("settings", "warns"),
    [
        ({"service_tier": "flex"}, None),
        ({"service_tier": "default"}, None),
        ({"service_tier": "fast", "model": "gpt-5.5"}, None),
        ({"service_tier": "priority", "model": "gpt-5.5"}, None),
        ({"turn_service_tier": "fast", "model": "gpt-5.5"}, None),
        ({"service_tier": "fast"}, "service_tier"),
        ({"service_tier": "bogus"}, "service_tier"),
        ({"service_tier": "bogus", "model": "gpt-5.5"}, "service_tier"),
        ({"turn_service_tier": "bogus"}, "turn_service_tier"),
        ({"personality": "friendly"}, "personality"),
        ({"personality": "none"}, "personality"),
    ],
)
def test_a_setting_that_the_runtime_leaves_out_is_warned_about(
    codex_config: AppServerConfig,
    scripted_model: ScriptedModel,
    caplog: pytest.LogCaptureFixture,
    settings: dict[str, Any],
    warns: str | None,
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("go", timeout=PATIENCE, **settings)
    sent = scripted_model.requests[-1].json.get("service_tier")
    asked = settings.get("service_tier", settings.get("turn_service_tier"))
    assert sent == (None if warns or asked == "default" else {"fast": "priority"}.get(asked, asked))
    found = [record for record in caplog.records if "codex.setting_" in record.getMessage()]
    assert [f"setting={warns}" in record.getMessage() for record in found] == [True] * (warns is not None)


@pytest.mark.parametrize(
    ("style", "starts", "resumes"), [("none", False, True), ("friendly", True, True), ("pragmatic", True, True)]
)
def test_a_style_is_read_when_a_thread_starts_or_not_at_all(
    codex_config: AppServerConfig, caplog: pytest.LogCaptureFixture, style: Any, starts: bool, resumes: bool
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(personality=style)
        assert ("setting=personality" in caplog.text) == starts
        thread.run("go", timeout=PATIENCE)
        caplog.clear()
        codex.thread_resume(thread.id, personality=style)
        assert ("setting=personality" in caplog.text) == resumes
