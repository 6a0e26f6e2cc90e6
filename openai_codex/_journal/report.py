"""What an error says about its runtime: versions, settings, the newest frames and the last lines on stderr, as Markdown."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from openai_codex._engine.heads import read_head
from openai_codex._engine.recent import Recent
from openai_codex._engine.wire import LineSplitter
from openai_codex._journal.deltas import Deltas
from openai_codex._journal.redact import Redactor
from openai_codex._journal.settings import check_content
from openai_codex._protocol.methods import RUNTIME_VERSION, SCHEMA_HASH
from openai_codex._runtime.display import escape
from openai_codex._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_codex._journal.settings import Content
    from openai_codex.errors import CodexError, ProcessInfo

# How many frames a report shows, and how many characters of each.
_MOST_FRAMES, _LONGEST_FRAME = 100, 2_000

# Where an error has the ids by which its frames are found.
_IDS = ("turn_id", "thread_id", "login_id")


def report(error: CodexError, content: Content = "keep") -> str:
    """Return the report of an error. See `CodexError.report`."""
    check_content("content", content)
    recent = _recent_of(error)
    # What the user has named is masked here, too.
    redactor = Redactor(content, getattr(getattr(recent and recent.settings, "journal", None), "redact", ()))
    frames = [] if recent is None else list(_frames(recent, redactor, _ids(error)))
    process: ProcessInfo | None = getattr(error, "process", None)
    if (process is None or process.pid is None) and recent is not None:
        process = recent.process
    chapters = {
        f"Report of a {type(error).__name__}": [redactor.line(str(error).encode("utf-8", "replace"))],
        "Versions": list(_versions(recent)),
        "Settings": [] if recent is None else list(_settings(recent.settings, redactor)),
        "Runtime": [] if process is None else [redactor.line(process.describe().encode("utf-8", "replace"))],
        "The newest frames": frames[-_MOST_FRAMES:],
    }
    marks = "#", *("##",) * len(chapters)
    return "\n\n".join(map(_chapter, marks, chapters, chapters.values())) + "\n"


def _chapter(mark: str, title: str, lines: list[str]) -> str:
    # Longer than any fence that a text is likely to have.
    body = "\n".join(["~~~~~~", *lines, "~~~~~~"]) if lines else "Not known."
    return f"{mark} {title}\n\n{body}"


def _versions(recent: Recent | None) -> Iterator[str]:
    yield f"openai-codex {__version__}"
    runtime = "not known" if recent is None or recent.version is None else recent.version
    yield f"runtime {runtime} (made for {RUNTIME_VERSION}, schema {SCHEMA_HASH[:16]})"
    yield f"Python {platform.python_version()} on {platform.platform()}"


def _settings(settings: Any, redactor: Redactor) -> Iterator[str]:
    """Yield the settings that are not the defaults, by their ``repr``, which masks secrets; what users mask is masked, too."""
    for field in attrs.fields(type(settings)) if attrs.has(type(settings)) else ():
        value = getattr(settings, field.name)
        if value != field.default:
            show = field.repr if callable(field.repr) else repr
            yield escape(f"{field.name} = {redactor.setting(field.name, str(show(value)))}")


# -- which runtime, and which of its frames ---------------------------------------------------------------------------


def _ids(error: CodexError) -> list[str]:
    values = [getattr(error, name, None) for name in _IDS]
    result = getattr(error, "result", None)
    values += [getattr(result, "id", None), getattr(result, "thread_id", None)]
    return [value for value in values if isinstance(value, str) and value]


def _recent_of(error: CodexError) -> Recent | None:
    """Return the runtime of an error: the one noted for it or for its cause, or the one that its facts name."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        if (recent := Recent.of(cause)) is not None:
            return recent
        cause = cause.__cause__ or cause.__context__
    # A copy of a set is one step: another client may start meanwhile.
    known = [recent for reference in Recent.known.copy() if (recent := reference()) is not None]
    pid = getattr(getattr(error, "process", None), "pid", None)
    ids = [each.encode() for each in _ids(error)]
    for recent in sorted(known, key=lambda each: -each.started_at):
        if (pid is not None and recent.pid == pid) or any(_mentions(recent, each) for each in ids):
            return recent
    open_now = [recent for recent in known if not recent.has_ended]
    return open_now[0] if pid is None and not ids and len(open_now) == 1 else None


def _mentions(recent: Recent, word: bytes) -> bool:
    # Joined, because a read may end within the word.
    return word in b"".join(chunk for _, chunk in recent.received.copy()) or any(
        word in line for _, line in recent.sent.copy()
    )


def _frames(recent: Recent, redactor: Redactor, ids: list[str]) -> Iterator[str]:
    lines = sorted(
        [*_received(recent), *((at, ">", line) for at, line in recent.sent.copy())], key=lambda line: line[0]
    )
    words = [each.encode() for each in ids]
    end = lines[-1][0] if lines else 0.0
    texts = Deltas(redactor, is_cut=recent.is_cut)
    for at, direction, line in lines:
        try:
            frame = orjson.loads(line)
            whole = texts.written(frame) if direction == "<" and isinstance(frame, dict) else [frame]
            shown = [orjson.dumps(redactor.frame(direction, each)).decode() for each in whole]
        except (ValueError, TypeError, RecursionError) as error:  # cut; or nested a thousand times, for instance
            if direction == "<" and isinstance(error, orjson.JSONDecodeError):
                continue  # its beginning is no longer kept
            head = read_head(line)
            shown = [
                orjson.dumps({**{name: head[name] for name in ("id", "method") if name in head}, "cut": True}).decode()
            ]
        if words and not any(word in line for word in words):
            continue  # only now: a secret may be named in a frame that is not shown
        for text in shown:
            cut = text if len(text) <= _LONGEST_FRAME else f"{text[:_LONGEST_FRAME]}… ({len(text)} characters)"
            yield f"{at - end:+.6f} {direction} {escape(cut)}"


def _received(recent: Recent) -> Iterator[tuple[float, str, bytes]]:
    splitter = LineSplitter()
    for at, chunk in recent.received.copy():
        for line in splitter.feed(chunk):
            yield at, "<", line
