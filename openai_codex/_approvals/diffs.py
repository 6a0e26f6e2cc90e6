"""Changes of files as one unified diff, which the protocol tells in pieces of several shapes. It knows no request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._protocol import FileUpdateChange


def unified_diff(changes: Iterable[FileUpdateChange]) -> str:
    """Write changes as one unified diff. Of a new or deleted file the protocol has the bare text, without a header."""
    return "".join(map(_file_diff, changes))


def _file_diff(change: FileUpdateChange) -> str:
    tag, moved = getattr(change.kind, "type", None), getattr(change.kind, "move_path", None)
    before = "/dev/null" if tag == "add" else change.path
    after = "/dev/null" if tag == "delete" else moved or change.path
    # The runtime says below the hunks of a moved file where it goes; here the header does.
    text = change.diff.removesuffix(f"\n\nMoved to: {moved}").removesuffix("\n")
    return f"--- {before}\n+++ {after}\n{_hunks(text, tag) if text else ''}"


def _hunks(text: str, tag: str | None) -> str:
    lines = text.split("\n")
    if tag == "add":
        lines = [f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines)]
    elif tag == "delete":
        lines = [f"@@ -1,{len(lines)} +0,0 @@", *(f"-{line}" for line in lines)]
    return "\n".join(lines) + "\n"
