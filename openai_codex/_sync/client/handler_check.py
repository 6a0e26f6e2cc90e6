# Derived from openai_codex/_async/client/handler_check.py by `python -m tools.unasync`; do not edit.
"""What a function must be like to handle requests of the runtime."""

from __future__ import annotations

import sys
from typing import Any

from openai_codex import _checks as checks
from openai_codex._sync.client import _wait


def check_handler(name: str, handler: Any) -> None:
    """Raise `ConfigError` if a handler cannot be called with a request, or does nothing then."""
    # One that takes something else, or does nothing when it is called, would decline each request.
    checks.function(name, handler, "one argument, the request", None)
    _wait.check_plain(name, handler)
    # Looked up and not imported, because the import loads all kinds of requests. An `AllowList` exists only after it.
    policies = sys.modules.get("openai_codex._approvals.policies")
    if policies is not None and isinstance(handler, policies.AllowList) and handler.otherwise is not None:
        check_handler(f"{name}: otherwise", handler.otherwise)
