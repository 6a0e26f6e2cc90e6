"""The differences that are intended, each with its reason. A reason that covers nothing any more is reported.

A reason is a change of the published text, and a text that differs in anything else is still a difference.
"""

from __future__ import annotations

from tools.compat.comparison import Lacking, Reason, Stated

REASONS: tuple[Stated, ...] = (
    Reason(
        "A path is text here, and a model with one field there, which agno prints as it is.",
        r"^root='(.*)'$",
        r"\1",
        "agno_agent.*",
    ),
    Reason(
        "A failed turn raises a class of its own, which is a RuntimeError, with the same text.",
        r"\bRuntimeError: ",
        "TurnFailedError: ",
    ),
    Reason(
        "A thread that does not exist raises a class of its own, which is an InvalidRequestError.",
        r"^InvalidRequestError: (?=.*no rollout found)",
        "ThreadNotFoundError: ",
    ),
    Reason(
        "The text of a refused request names its method, and what to do.",
        r"JSON-RPC error (-\d+: no rollout found for thread id <id \d+>)",
        r"thread/resume failed with error \1; it does not exist, or is not stored because it is ephemeral or has no turn yet",
    ),
    Reason(
        "is_retryable_error knows a failed turn that passes, so the package tries again; there it gives up at once.",
        r"\[Erro não-recuperável\] ProviderError: (?=.*(?:at capacity|high demand))",
        "[Falhou após 1 tentativa(s)] ProviderOverloadedError: ",
        "dataframeit_rows.failed",
    ),
    Reason(
        "The same, with two attempts.",
        r"\[Erro não-recuperável\] ProviderError: (?=.*(?:at capacity|high demand))",
        "[Falhou após 2 tentativa(s)] ProviderOverloadedError: ",
        "dataframeit_rows.retried",
    ),
    Reason(
        "The text of an enum's member is its value here, and the name of the member there.",
        r"^ReasoningEffort\.(\w+)$",
        r"\1",
        "yoke_sessions.models",
    ),
    Reason(
        "The version of the server is that alone.",
        r"^(\d+\.\d+\.\d+) \(.*\)$",
        r"\1",
        "lines.names",
    ),
    Lacking("A path is text here, and has no `.root`.", "'str' object has no attribute 'root'", "lines.path_roots"),
    Lacking(
        "The package adds its tools by private parts of the client; here `thread_start(tools=…)` takes them.",
        "does not expose the client hooks",
        "vidbyte_agent.tools",
    ),
)
