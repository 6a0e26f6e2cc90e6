"""What can go wrong, what the errors know, and what is worth another try."""

from openai_codex import (
    Codex,
    CodexError,
    LaunchError,
    TransportClosedError,
    TurnFailedError,
    TurnTimeoutError,
    retry_on_overload,
)

try:
    with Codex() as codex:
        thread = codex.thread_start()
        # Again, with growing waits, while the runtime or the provider is overloaded; for at most a minute.
        result = retry_on_overload(lambda: thread.run("Fix the tests.", timeout=1800), max_attempts=5, timeout=60)
        print(result.status, result.final_response)
except TurnFailedError as error:  # the thread is usable afterwards
    print("failed:", error, error.codex_error_info, len(error.result.items), "items until then")
except TurnTimeoutError as error:  # the turn was interrupted on the server
    print("too slow:", error.turn_id, error.result)
except (LaunchError, TransportClosedError) as error:
    print("the runtime:", error.process.exit_code, error.process.stderr_tail)
except CodexError as error:
    print("anything else of ours:", error)
