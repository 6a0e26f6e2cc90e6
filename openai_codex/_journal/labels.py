"""Short texts for single frames of a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai_codex._journal.history import Turn

_LONGEST = 200

# What a server request is, by a part of its method.
_KINDS = {
    "Approval": "approval",
    "requestUserInput": "question",
    "item/tool/call": "tool",
    "elicitation": "elicitation",
}

# Where the text of an item stands, the first that it has.
_LABELS = ("command", "text", "query", "review", "prompt", "path", "agentPath", "summary")


def field(value: Any, *names: str) -> Any:
    """Return what stands below these names; ``None`` if something is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_at(value: Any, *names: str) -> str:
    """Return the text below these names, empty if there is none."""
    found = field(value, *names)
    return found if isinstance(found, str) else ""


def short(text: str) -> str:
    """Return a text as one line, of at most 200 characters."""
    line = " ".join(text[: 4 * _LONGEST].split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def word(value: Any) -> str:
    """Return the name of a state: some are objects with one field."""
    return value if isinstance(value, str) else next(iter(value), "") if isinstance(value, dict) else ""


def facts(frame: dict[str, Any]) -> str:
    """Return the facts of an event."""
    names = (name for name in frame if name not in {"event", "client", "stderr"} and frame[name] is not None)
    return short(", ".join(f"{name} {frame[name]}" for name in names))


def end(frame: dict[str, Any]) -> str:
    """Return how a runtime ended, as one of its two last events tells."""
    if frame.get("event") == "connection_closed":
        return short(text_at(frame, "reason"))
    code = frame.get("exit_code")
    return text_at(frame, "signal") or ("" if code is None else f"exit code {code}")


def kind(method: str) -> str:
    """Return what a server request is."""
    return next((name for part, name in _KINDS.items() if part in method), method)


def subject(params: dict[str, Any]) -> str:
    """Return what a server request is about."""
    command = params.get("command")
    if isinstance(command, list):
        command = " ".join(map(str, command))
    found = (command, params.get("tool"), params.get("reason"), params.get("message"), params.get("serverName"))
    return short(next((text for text in found if isinstance(text, str) and text), ""))


def decision(frame: dict[str, Any]) -> str:
    """Return what a server request was answered."""
    if "error" in frame:
        return short(f"error: {text_at(frame, 'error', 'message')}")
    result = frame.get("result")
    found = field(result, "decision") or field(result, "action")
    if found is not None:
        return word(found)
    success = field(result, "success")
    return "answered" if success is None else "done" if success is True else "failed"


def prompt(params: dict[str, Any]) -> str:
    """Return the text with which a turn was requested."""
    parts = params.get("input")
    texts = (text_at(part, "text") for part in parts) if isinstance(parts, list) else ()
    return short(" ".join(text for text in texts if text))


def label(item: dict[str, Any]) -> str:
    """Return what an item is about."""
    if "tool" in item:
        place = text_at(item, "server") or text_at(item, "namespace")
        return short(f"{place}.{word(item['tool'])}" if place else word(item["tool"]))
    if isinstance(changes := item.get("changes"), list):
        return short(", ".join(text_at(change, "path") for change in changes))
    for name in _LABELS:
        if text := text_at(item, name):
            return short(text)
    content = item.get("content")
    return short(" ".join(text_at(part, "text") for part in content)) if isinstance(content, list) else ""


def interrupter(turn: Turn) -> str:
    """Return who interrupted a turn, as far as the frames say."""
    if turn.interrupted is not None:
        by = f" ({turn.interrupted_by})" if turn.interrupted_by else ""
        given_up = f", which gave it up: {turn.given_up}" if turn.given_up else ""
        return (
            f"by this program{by}{given_up}: turn/interrupt {turn.interrupted - turn.began:.3f} s after its beginning"
        )
    if any(ask.decision == "cancel" for ask in turn.asks):
        return "by this program: it answered an approval with cancel"
    return "not by turn/interrupt of this client"
