"""Record all that a program and its runtime say, then replay it without a runtime, a model or an account."""

from pathlib import Path

from openai_codex import AppServerConfig, Codex
from openai_codex.testing import replay


def ask(config: AppServerConfig) -> str | None:
    """Do what is recorded, and what is replayed."""
    with Codex(config) as codex:
        return codex.thread_start(sandbox="read-only").run("Say hello.").final_response


journal = Path("run.jsonl")  # `openai-codex trace run.jsonl timeline` shows it
print("recorded:", ask(AppServerConfig(journal=journal)))
with replay(journal) as recorded:  # fails if the program sends anything else than it did
    print("replayed:", ask(recorded.config))
journal.unlink()
