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
        # Retries with growing delays while the runtime or the provider is overloaded, for at most a minute.
        result = retry_on_overload(lambda: thread.run("Fix the tests.", timeout=1800), max_attempts=5, timeout=60)
        print(result.status, result.final_response)
except TurnFailedError as error:  # the thread remains usable
    print("failed:", error, error.codex_error_info, len(error.result.items), "items before the failure")
except TurnTimeoutError as error:  # the turn was interrupted on the server
    print("timed out:", error.turn_id, error.result)
except (LaunchError, TransportClosedError) as error:
    print("the runtime:", error.process.exit_code, error.process.stderr_tail)
except CodexError as error:
    print("any other error of the package:", error)
