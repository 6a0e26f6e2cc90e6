"""What spans, attributes and metrics are called.

Constants of our own: those of ``opentelemetry-semantic-conventions`` are deprecated, and their names still change.
"""

from __future__ import annotations

from typing import Final

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.43.0"
"""The version of the semantic conventions that the ``gen_ai`` names are from."""

INVOKE_AGENT, EXECUTE_TOOL, APPROVAL = "invoke_agent", "execute_tool", "codex.approval"
AGENT: Final = "codex"

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
AGENT_NAME: Final = "gen_ai.agent.name"
CONVERSATION: Final = "gen_ai.conversation.id"
MODEL: Final = "gen_ai.request.model"
OUTPUT_TYPE: Final = "gen_ai.output.type"
INPUT_MESSAGES, OUTPUT_MESSAGES = "gen_ai.input.messages", "gen_ai.output.messages"

TOOL_NAME, TOOL_TYPE, TOOL_CALL = "gen_ai.tool.name", "gen_ai.tool.type", "gen_ai.tool.call.id"
TOOL_ARGUMENTS, TOOL_RESULT = "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"
MCP_METHOD, MCP_SERVER = "mcp.method.name", "codex.mcp.server"
EXIT_CODE: Final = "process.exit.code"

ERROR_TYPE: Final = "error.type"

TURN, GENERATION = "codex.turn.id", "codex.generation"
APPROVAL_KIND, DECISION, DECIDED_BY = "codex.approval.kind", "codex.approval.decision", "codex.approval.decided_by"

USAGE: Final = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cached_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_input_tokens": "gen_ai.usage.cache_write.input_tokens",
    "reasoning_output_tokens": "gen_ai.usage.reasoning.output_tokens",
}
"""Field of ``TokenUsageBreakdown`` → attribute."""

DURATION, TOKENS, TOKEN_TYPE = "gen_ai.client.operation.duration", "gen_ai.client.token.usage", "gen_ai.token.type"

# The boundaries that the conventions recommend.
DURATION_BOUNDARIES: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKEN_BOUNDARIES: Final = tuple(4.0**power for power in range(14))
