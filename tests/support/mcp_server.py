"""An MCP server on stdio: two tools ask the user, one may do harm, one only looks. Run as a program."""

from __future__ import annotations

import json
import sys
from typing import Any

FORM = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
QUESTIONS: dict[str, dict[str, Any]] = {
    "ask": {"message": "Who are you?", "requestedSchema": FORM},
    "visit": {"mode": "url", "message": "Log in there.", "url": "http://127.0.0.1/login", "elicitationId": "login-1"},
}
TOOLS: dict[str, dict[str, Any]] = {
    "ask": {"description": "Asks the user for a name.", "annotations": {"readOnlyHint": True}},
    "visit": {"description": "Sends the user to a page.", "annotations": {"readOnlyHint": True}},
    "danger": {"description": "Deletes things.", "annotations": {"title": "Danger", "destructiveHint": True}},
    "look": {"description": "Only looks.", "annotations": {"readOnlyHint": True}},
}
ANY = {"type": "object", "properties": {"what": {"type": "string"}}}


waiting: list[dict[str, Any]] = []
"""What came while the user was being asked."""


def read() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    message: dict[str, Any] = json.loads(line)
    return message


def send(**message: Any) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def ask(question: dict[str, Any]) -> str:
    """Ask the user; return what came back, as JSON."""
    send(id="asks", method="elicitation/create", params=question)
    while (answer := read()).get("id") != "asks" or "method" in answer:
        waiting.append(answer)
    return json.dumps(answer.get("result") or answer)


def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    text = ask(QUESTIONS[name]) if name in QUESTIONS else f"{name} was run with {json.dumps(arguments)}"
    return {"content": [{"type": "text", "text": text}]}


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        server = {"name": "probe", "version": "1"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": server}
    if method == "tools/list":
        return {"tools": [{"name": name, "inputSchema": ANY, **tool} for name, tool in TOOLS.items()]}
    return call(params["name"], params.get("arguments") or {}) if method == "tools/call" else {}


def main() -> None:
    while True:
        message = waiting.pop(0) if waiting else read()
        if "id" in message and "method" in message:
            send(id=message["id"], result=answer(message["method"], message.get("params") or {}))


if __name__ == "__main__":
    main()
