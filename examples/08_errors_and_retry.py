"""Handle errors, read their attributes, and retry after an overload."""

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
        # Continues a turn that failed for a reason that passes, with growing delays: the prompt is in the history once.
        result = thread.run("Fix the tests.", retries=4, timeout=1800)
        print(result.status, result.final_response, "after", result.attempts, "attempts")
        # For other operations: repeats them while the runtime or the provider is overloaded, for at most a minute.
        print(retry_on_overload(thread.compact, max_attempts=5, timeout=60))
except TurnFailedError as error:  # the thread remains usable
    print("failed:", error, error.codex_error_info, len(error.result.items), "items before the failure")
except TurnTimeoutError as error:  # the turn was interrupted on the server
    print("timed out:", error.turn_id, error.result)
except (LaunchError, TransportClosedError) as error:
    print("the runtime:", error.process.exit_code, error.process.stderr_tail)
except CodexError as error:
    print("any other error of the package:", error)
