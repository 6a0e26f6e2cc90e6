"""A long-running program that survives the death of its runtime, which is killed here on purpose."""

import os
import signal

from openai_codex import AppServerConfig, Codex, RuntimeExited, RuntimeStarted, TransportClosedError

with Codex(AppServerConfig(restart=True)) as codex:
    changes = codex.events(RuntimeExited, RuntimeStarted, timeout=30)
    thread = codex.thread_start()
    for job in ("Tidy up.", "Run the tests.", "Write the report."):
        try:
            print(job, thread.run(job, timeout=3600, stall_timeout=300).final_response)
        except TransportClosedError as error:  # the turn may have done part of its work: decide whether to run it again
            print(job, "lost:", error.process.exit_code, error.result)
        pid = codex.health().pid
        if job == "Tidy up." and pid is not None:
            os.kill(pid, signal.SIGKILL)
            print("exited:", next(changes).params["generation"])
            thread.run("Are you still there?")  # starts a runtime, and resumes the thread
            print("started:", next(changes).params["generation"])
    health = codex.health()
    print(f"{health.restarts} restart(s), {health.threads} thread(s), {health.unread} unread")
