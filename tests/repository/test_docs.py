"""The pages of `docs/`, without Sphinx: their snippets run, their names and links are right, and no page is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import openai_codex
from openai_codex import errors, retry, testing
from openai_codex.testing import QuietHome, RecordedRequest, ScriptedModel, call, reply
from tests.support.remote import TOKEN, listening
from tests.support.snippets import PAGES, ROOT, is_prepared, snippets_of, start

DOCS = ROOT / "docs"
GUIDES = sorted((DOCS / "guides").glob("*.md"))

# Those of the README, and those that need more than a home and a model, run in `test_readme`.
SNIPPETS = {
    f"{page.relative_to(DOCS).with_suffix('')}-{number}": snippet
    for page in PAGES
    for number, snippet in enumerate(snippets_of(page))
    if snippet not in snippets_of(ROOT / "README.md") and not is_prepared(snippet)
}

ESCALATED = {"sandbox_permissions": "require_escalated", "justification": "as you asked:"}
STATUS = reply(call("exec_command", {"cmd": "git status", **ESCALATED}))


def tell_outputs(request: RecordedRequest) -> str:
    """Say what the tools have answered."""
    return "\n".join(map(str, request.function_outputs.values()))


# What the model has to say; it answers "ok" to everything else.
SCRIPT: list[tuple[str, tuple[str | testing.Reply | Callable[[RecordedRequest], str], ...]]] = [
    ("What is the worst line?", (json.dumps({"severity": "low", "line": 3}),)),
    ("Is it fine, as JSON?", (json.dumps({"fine": True}),)),
    ("What has changed?", (STATUS, tell_outputs)),
    ("Run the tests.", (STATUS, tell_outputs)),
    ("Look around.", (STATUS, tell_outputs)),
    ("How many pears are left?", (reply(call("stock", {"fruit": "pear"})), tell_outputs)),
]

PRINTED = {
    "index-1": "ok",
    "guides/streams-1": "okUserMessageThreadItem\nAgentMessageThreadItem\n",
    "guides/streams-2": "okcompleted",
    "guides/streams-6": "completed",
    "guides/threads-1": "completed",
    "guides/concurrency-1": "['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok']",
    "guides/typed-output-1": "low 3",
    "guides/typed-output-2": "True",
    "guides/approvals-and-tools-1": "Process exited with code",
    "guides/approvals-and-tools-2": "Process exited with code",
    "guides/approvals-and-tools-3": "completed",
    "guides/approvals-and-tools-4": '{"pear":0}',
    "guides/errors-and-retries-1": "completed 1",
    "guides/errors-and-retries-2": "True",
    "guides/daemons-1": "running",
    "guides/daemons-2": "0",
    "guides/workers-2": "parser completed ok",
    "guides/workers-3": "ok\nok\n",
    "guides/workers-5": "['completed', 'completed']",
    "guides/tracing-0": "['invoke_agent codex']",
    "remote-0": "ok",
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_snippet_runs(name: str, codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    for asked, answers in SCRIPT:
        scripted_model.when(asked, *answers)
    snippet = SNIPPETS[name]
    if "endpoint=" not in snippet:
        printed = start(codex_home, snippet)
    else:
        with listening(codex_home.config()) as endpoint:
            here = {"ws://127.0.0.1:4500": endpoint, "/srv/project": str(codex_home.workspace)}
            for there, its in here.items():
                snippet = snippet.replace(there, its)
            printed = start(codex_home, snippet, CODEX_TOKEN=TOKEN)
    assert PRINTED.get(name, "") in printed


def test_what_is_expected_of_snippets_is_about_one() -> None:
    assert {*PRINTED} <= {*SNIPPETS}
    assert len(SNIPPETS) >= len(GUIDES)


def test_every_public_name_is_on_a_page_of_the_api() -> None:
    shown = {
        name
        for page in (DOCS / "api").glob("*.md")
        for name in re.findall(r"^\.\. auto\w+:: ([\w.]+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    raised = set(errors.__all__)
    expected = {f"openai_codex.{name}" for name in {*openai_codex.__all__, *raised, *retry.__all__}}
    assert expected | {f"openai_codex.testing.{name}" for name in testing.__all__} <= shown


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {
        line
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```", index, re.MULTILINE | re.DOTALL)
        for line in tree.split()
    }
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in PAGES if path.parent.name != "api"}
    assert pages - {"index"} <= listed
    described = set(re.findall(r"^- \{doc\}`([\w/-]+)`: ", index, re.MULTILINE))
    assert {path.relative_to(DOCS).with_suffix("").as_posix() for path in GUIDES} <= described


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    files = re.findall(r"\]\((?!\w+:)([^)#\s]+)[^)]*\)|^```\{literalinclude\} (\S+)", text, re.MULTILINE)
    documents = [each + ".md" for each in re.findall(r"\{doc\}`([^`<>]+)`", text)]
    assert [each for each in [*map("".join, files), *documents] if not (page.parent / each).exists()] == []
