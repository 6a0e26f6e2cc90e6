"""Let the model run the commands of a list without asking anyone; all others are declined, and the turn goes on."""

from openai_codex import Codex, allow
from openai_codex.types import CommandExecutionThreadItem

POLICY = allow(["git --version", "git log *", "pytest *"])  # compared word by word, never as a text of the shell

with Codex(on_approval=POLICY) as codex:
    thread = codex.thread_start(approval_policy="on-request", sandbox="read-only")
    result = thread.run("Which version of git is this? And clean up.")
    for item in result.items:
        if isinstance(item, CommandExecutionThreadItem):
            print(item.status, item.exit_code, item.command)
    print(result.final_response)
