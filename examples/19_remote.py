"""Use a runtime that runs elsewhere, started there by `codex app-server --listen ws://127.0.0.1:4500 --ws-auth …`."""

import os

from openai_codex import AppServerConfig, Codex

endpoint = os.environ.get("CODEX_ENDPOINT", "ws://127.0.0.1:4500")
config = AppServerConfig(endpoint=endpoint, token_env="CODEX_TOKEN", restart=True)  # connects again if it has to

with Codex(config) as codex:
    thread = codex.thread_start(sandbox="read-only")
    print(thread.run("Remember the number 7.").final_response)

with Codex(config) as codex:  # closing a client leaves the runtime and its threads alone
    print(codex.thread_resume(thread.id).run("Which number was it?").final_response)
