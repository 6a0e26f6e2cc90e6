"""The runtimes that the steps run on, and what each of them cannot do: the one place for both."""

from __future__ import annotations

from openai_codex._protocol.methods import RUNTIME_VERSION
from openai_codex._version import OLDEST_TESTED

NEWEST_BUT_ONE = "0.162.1"

VERSIONS = (OLDEST_TESTED, NEWEST_BUT_ONE, RUNTIME_VERSION)

ITEMS = {"items of a thread": "thread/items/list"}
# Without the first, what a sub-agent does belongs to no turn. The second is ignored where it is not known.
AGENTS = {"sub-agents": "rootTurnId of a turn"}
OUTPUTS = {"external message": "toolOutput of turn/start"}

GAPS: dict[str, dict[str, str]] = {
    "0.133.0": {
        **ITEMS,
        **AGENTS,
        **OUTPUTS,
        "fork at a turn": "lastTurnId of thread/fork",
        "search of threads": "thread/search",
        "delete": "thread/delete",
    },
    "0.144.4": {**ITEMS, **AGENTS, **OUTPUTS},
    "0.153.4": AGENTS,
    "0.160.1": AGENTS,
}
"""Version → step → what this runtime does not have. For a method, the step has to raise a `MethodNotFoundError`."""
