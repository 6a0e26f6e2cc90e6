# Derived from tests/faces_async/verbs/test_threads.py by `python -m tools.unasync`; do not edit.
"""Every lifecycle verb, on the real runtime."""

from __future__ import annotations

import pytest

from openai_codex import ApprovalMode, AppServerConfig, Codex, ConfigError, InvalidRequestError, Sandbox
from openai_codex.testing import QuietHome, ScriptedModel, message, reply
from openai_codex.types import (
    ApprovalPolicy,
    ApprovalsReviewer,
    SandboxMode,
    ThreadMetadataGitInfoUpdateParams,
    ThreadResumeParams,
    ThreadStatusChangedNotification,
    ThreadUnsubscribeResponse,
    TurnStatus,
    WorkspaceWriteSandboxPolicy,
)


def test_listings_are_lazy_whole_and_filtered(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        made = []
        for name in ("red", "green", "blue"):
            thread = codex.thread_start()
            thread.run(f"about {name}")
            thread.set_name(name)
            made.append(thread.id)
        page = codex.thread_list(limit=2)
        every = [thread.id for thread in codex.threads(page_size=2)]
        found = [thread.id for thread in codex.threads(search_term="green")]
        hits = [hit.thread.id for hit in codex.thread_search("about blue")]
        models = codex.models()
        servers = [server for server in codex.mcp_servers()]
    assert len(page.data) == 2
    assert page.next_cursor is not None
    assert sorted(every) == sorted(made)
    assert found == [made[1]]
    assert hits == [made[2]]
    assert {"gpt-5.5"} <= {model.id for model in models.data}
    assert servers == []


def test_turns_and_items_are_listed_whole(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        ids = [(thread.run(f"turn {number}")).id for number in range(3)]
        oldest_first = [turn.id for turn in thread.turns()]
        newest_first = [turn.id for turn in thread.turns(newest_first=True)]
        entries = [entry for entry in thread.items()]
        one = [entry for entry in thread.items(turn_id=ids[1])]
    assert oldest_first == ids
    assert newest_first == ids[::-1]
    assert len(entries) == 6
    assert {entry.turn_id for entry in one} == {ids[1]}


def test_a_fork_has_the_history_up_to_a_turn(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        first = thread.run("one")
        thread.run("two")
        whole = codex.thread_fork(thread.id)
        early = codex.thread_fork(thread.id, last_turn_id=first.id)
        memory = codex.thread_fork(thread.id, ephemeral=True)
        whole.run("three")
        early.run("three")
        memory.run("three")
    assert len({thread.id, whole.id, early.id, memory.id}) == 4
    said = [[text for text in request.user_texts if len(text) < 6] for request in scripted_model.requests[-3:]]
    assert said == [["one", "two", "three"], ["one", "three"], ["one", "two", "three"]]


def test_a_thread_is_archived_brought_back_and_deleted(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("go")
        codex.thread_archive(thread.id)
        with pytest.raises(InvalidRequestError, match="archived"):
            codex.thread_resume(thread.id)
        assert [each.id for each in codex.threads(archived=True)] == [thread.id]
        back = codex.thread_unarchive(thread.id)
        assert back.id == thread.id
        codex.thread_delete(thread.id)
        with pytest.raises(InvalidRequestError):
            thread.read()


def test_a_thread_is_unsubscribed_and_its_metadata_changed(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("go")
        git = ThreadMetadataGitInfoUpdateParams(branch="topic", sha=None)
        changed = codex.thread_update_metadata(thread.id, git_info=git)
        assert changed.thread.git_info is not None
        assert changed.thread.git_info.branch == "topic"
        answer = codex.thread_unsubscribe(thread.id)
        assert isinstance(answer, ThreadUnsubscribeResponse)
        assert answer.status == "unsubscribed"
        resumed = codex.thread_resume(thread.id)
        assert (resumed.run("again")).final_response == "ok"


def test_a_resume_can_bring_the_history_along(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("go")
    with Codex(codex_config) as codex:
        bare = codex.request(ThreadResumeParams(thread_id=thread.id, exclude_turns=True))
        assert bare.thread.turns == []
        assert (codex.thread_resume(thread.id, include_turns=True)).id == thread.id


def test_settings_reach_the_runtime_as_meant(codex_config: AppServerConfig) -> None:
    presets = {
        "thread": [
            ({"approval_mode": ApprovalMode.deny_all}, "never", "user"),
            ({"approval_mode": ApprovalMode.auto_review}, "on-request", "auto_review"),
            ({"approval_policy": "untrusted", "approvals_reviewer": "user"}, "untrusted", "user"),
        ],
    }
    with Codex(codex_config) as codex:
        for settings, policy, reviewer in presets["thread"]:
            thread = codex.thread_start(**settings)  # type: ignore[arg-type]  # a table of settings
            thread.run("go")
            now = codex.request(ThreadResumeParams(thread_id=thread.id, exclude_turns=True))
            assert now.approval_policy == ApprovalPolicy(policy)
            assert now.approvals_reviewer == ApprovalsReviewer(reviewer)


@pytest.mark.parametrize("sandbox", [Sandbox.workspace_write, SandboxMode.workspace_write, "workspace-write"])
def test_a_sandbox_is_a_preset_a_mode_or_a_word(codex_config: AppServerConfig, sandbox: Sandbox) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(sandbox=sandbox)
        thread.run("go", sandbox=Sandbox.read_only)
        thread.run("go", sandbox_policy=sandbox)
        now = codex.request(ThreadResumeParams(thread_id=thread.id, exclude_turns=True))
    assert isinstance(now.sandbox, WorkspaceWriteSandboxPolicy)


def test_settings_that_contradict_each_other_are_refused_before_anything_is_sent(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_config) as codex:
        with pytest.raises(ConfigError, match="approval_mode"):
            codex.thread_start(approval_mode=ApprovalMode.deny_all, approval_policy="never")
        with pytest.raises(ConfigError, match="WorkspaceWriteSandboxPolicy"):
            codex.thread_start(sandbox=WorkspaceWriteSandboxPolicy())  # type: ignore[arg-type]  # on purpose
        thread = codex.thread_start(ephemeral=True)
        with pytest.raises(ConfigError, match="give one of them"):
            thread.run("go", sandbox=Sandbox.read_only, sandbox_policy=Sandbox.read_only)
        with pytest.raises(ConfigError, match="expected one of"):
            thread.run("go", sandbox="no such thing")
        with pytest.raises(ConfigError, match="output_schema"):
            thread.run("go", output_schema={}, output_type=dict)
    assert scripted_model.request_count == 0


def test_a_goal_is_set_read_and_cleared(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("go")
        assert codex.thread_goal(thread.id) is None
        goal = codex.thread_set_goal(thread.id, "count", status="paused", token_budget=500)
        assert (goal.objective, goal.status, goal.token_budget) == ("count", "paused", 500)
        assert codex.thread_goal(thread.id) == goal
        codex.thread_clear_goal(thread.id)
        assert codex.thread_goal(thread.id) is None


def test_a_review_is_a_turn_of_its_own(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(reply(message('{"findings":[],"overall_explanation":"all good"}')))
    with Codex(codex_home.config()) as codex:
        thread = codex.thread_start()
        turn = codex.review(thread.id, "Look at nothing.")
        result = turn.run(timeout=30)
    assert result.status == TurnStatus.completed
    assert {item.type for item in result.items if hasattr(item, "type")} >= {"exitedReviewMode"}


def test_a_review_is_interrupted_by_its_handle(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.say("never finished", gate=(gate := scripted_model.gate()), hold_after=1)
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        turn = codex.review(thread.id, "Look at nothing.")
        gate.wait_reached()
        turn.interrupt(timeout=20)
        result = turn.run(timeout=5)
    assert result.status == TurnStatus.interrupted


def test_a_shell_command_runs_in_the_thread(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        with codex.events(ThreadStatusChangedNotification, thread_id=thread.id, timeout=30) as changes:
            codex.thread_shell_command(thread.id, "true", command_timeout=10)
            states = [(changes.__next__()).params["status"]["type"] for _ in range(2)]
    assert states == ["active", "idle"]
