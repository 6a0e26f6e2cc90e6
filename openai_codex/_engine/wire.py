"""Bytes to frames and back. Sans I/O: no pipe, no thread, no state but an incomplete line.

A frame is one JSON object on one line. Any other line becomes a `Skipped` with the reason, never an exception. Frames
that other output has run into are found within such a line.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from typing import Any, TypeGuard, Union

import orjson

from openai_codex._codec.deferred import define
from openai_codex._engine import heads
from openai_codex._notification import Notification, UnreadableNotification
from openai_codex._protocol.methods import ENDS
from openai_codex.errors import ConfigError, DecodeError

RequestId = Union[int, str]


@define
class Response:
    """The response to a request of this client: ``error`` if it is not ``None``, else ``result``."""

    id: RequestId
    result: Any = None
    error: dict[str, Any] | None = None


@define
class ServerRequest:
    """A request from the runtime, which waits for the answer."""

    id: RequestId
    method: str
    params: dict[str, Any]
    problem: str | None = None
    """Why its line cannot be read; then the params are only the first of them."""


@define
class Skipped:
    """A line that is not a frame."""

    reason: str
    size: int
    frames: tuple[Response | Notification | ServerRequest, ...] = ()
    """The frames that were found within it, in order."""
    request_id: int | None = None
    """The request of this client that the line seems to answer, if it cannot be read."""
    head: UnreadableNotification | ServerRequest | None = None
    """What the line seems to be, if somebody would wait for ever without it: a request, or the end of a turn or login."""

    def error(self, waiting_for: str) -> DecodeError:
        """Build the exception for the caller of that request."""
        return DecodeError(f"response to {waiting_for}", (self.reason,))


Frame = Union[Response, Notification, ServerRequest, Skipped]


class LongLine(bytes):
    """The beginning of a line that is longer than the splitter accepts; the rest was dropped."""


class LineSplitter:
    """Cuts a byte stream into lines, in time linear in its length whatever the size of the chunks.

    A line longer than ``limit`` bytes is returned as a `LongLine` as soon as that is known, and its rest is dropped.
    """

    def __init__(self, limit: int = sys.maxsize) -> None:
        self.limit = limit
        # A list, joined once the line is complete: joining at each chunk would take quadratic time for a long line.
        self._rest: list[bytes] = []
        self._size = 0
        self._is_dropping = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Add the next bytes; return the lines that they complete, without line ends."""
        *complete, rest = chunk.split(b"\n")
        if complete:
            if self._is_dropping:
                del complete[0]
                self._is_dropping = False
            elif self._rest:
                complete[0] = self._join(complete[0])
        if rest and not self._is_dropping:
            self._rest.append(rest)
            self._size += len(rest)
            if self._size > self.limit:
                complete.append(self.drop())
        return complete

    def end(self) -> bytes:
        """Return the incomplete line at the end of the stream."""
        return self._join(b"")

    def drop(self) -> LongLine:
        """Drop the incomplete line and what is still to come of it; return its beginning."""
        size = heads.SIZE
        try:
            return LongLine(b"".join(part[:size] for part in self._rest[:size])[:size])
        finally:  # also when a MemoryError prevents the copy of the beginning
            self._rest.clear()
            self._size, self._is_dropping = 0, True

    def _join(self, last: bytes) -> bytes:
        try:
            line = b"".join((*self._rest, last)) if self._size + len(last) <= self.limit else self.drop()
        except MemoryError:
            line = self.drop()
        self._rest.clear()
        self._size, self._is_dropping = 0, False
        return line


# A random number between lines that are decoded together. No line contains it by chance, so it marks where one ends. A long
# line is decoded by itself: together with others it would be copied.
_MARK = int.from_bytes(os.urandom(7), "big")
_BETWEEN, _LONG_LINE = b",%d," % _MARK, 1 << 20


def decode_all(lines: list[bytes]) -> list[Frame]:
    """Decode lines as `decode` does; blank ones are left out."""
    # All at once if they are all right: a call of the decoder takes as long as a short line.
    if len(lines) > 1 and len(lines[0]) < _LONG_LINE:  # only the first may have begun in an earlier chunk
        with suppress(orjson.JSONDecodeError):
            parts = orjson.loads(b"[%b]" % _BETWEEN.join(lines))
            if len(parts) == 2 * len(lines) - 1 and parts[1::2] == [_MARK] * (len(lines) - 1):
                values = parts[::-2]
                del parts
                return _frames(values, lines)
    return [decode(line) for line in lines if line and not line.isspace()]


def decode(line: bytes) -> Frame:
    """Decode one line. Only the envelope is interpreted; params and results stay decoded JSON."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _skipped(line, f"not JSON: {error.msg}")
    is_response = type(value) is dict and "method" not in value  # as most of those are that come alone
    return _response(value, len(line)) if is_response else _frames([value], [line])[0]


def _frames(values: list[Any], lines: list[bytes]) -> list[Frame]:
    """Return the frames of the values, of which the last is that of the first line. Removes them."""
    # Run for every event: the types are compared exactly, which is faster than isinstance, and JSON has no subclasses.
    frames: list[Frame] = []
    new = Notification.__new__
    while values:
        # Each goes before the next one is looked at: the garbage collector passes over all that are there, again and again.
        value = values.pop()
        method = value.get("method") if type(value) is dict else None
        if type(method) is not str:
            frames.append(_response(value, len(lines[len(frames)])))
            continue
        params = value.get("params")
        if type(params) is not dict:
            # Params by position, or not an object at all: kept, so that an unknown notification shows what came.
            params = {} if params is None else {"params": params}
        if "id" in value and _is_id(value["id"]):
            frames.append(ServerRequest(value["id"], method, params))
            continue
        frame = new(Notification)
        frame.method, frame.params, frame.emitted_at_ms = method, params, value.get("emittedAtMs")
        frame._payload = None  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  see there
        frames.append(frame)
    return frames


def _is_id(value: Any) -> TypeGuard[RequestId]:
    # By exact type: true and false are integers in Python, but not ids. A set of the two would be built on each call.
    kind = type(value)
    return kind is int or kind is str


def _response(frame: Any, size: int) -> Response | Skipped:
    if not isinstance(frame, dict):
        return Skipped(f"not an object: {type(frame).__name__}", size)
    request_id, error = frame.get("id"), frame.get("error")
    if not _is_id(request_id) or ("result" not in frame and "error" not in frame):
        return Skipped("neither a method nor a response", size)
    if error is None:
        return Response(request_id, frame.get("result"))
    # The runtime is not trusted to send an object here.
    return Response(request_id, error=error if isinstance(error, dict) else {"message": str(error)})


# How a frame begins, and how a response of the runtime does. Other output hardly looks like this.
_BEGINNING = re.compile(r'\{\s*"(?:id|method|result|error|params|jsonrpc|emittedAtMs)"\s*:')
_ANSWER = re.compile(rb'[^{]{0,64}\{\s*"id"\s*:\s*(\d{1,18})\s*,\s*"(?:result|error)"\s*:')

# How many beginnings are tried in one line, and how many characters are read in vain, before the search is given up.
_MOST_TRIES, _MOST_IN_VAIN = 32, 1 << 22

_scan = json.JSONDecoder().raw_decode


def _skipped(line: bytes, reason: str) -> Skipped:
    """Describe a line that is not JSON: the frames within it, or the request whose caller has to know."""
    if isinstance(line, LongLine):
        reason = "the line is longer than max_line_bytes"
    frames = () if isinstance(line, LongLine) else tuple(_frames_within(line))
    answer = None if frames else _ANSWER.match(line)
    head = None if frames or answer else _head_of(line, reason)
    return Skipped(reason, len(line), frames, None if answer is None else int(answer[1]), head)


def _head_of(line: bytes, reason: str) -> UnreadableNotification | ServerRequest | None:
    """Return what a line begins with, if that is a server request, or an end that says of which turn or login."""
    head = heads.read_head(line)
    frame = decode(orjson.dumps(head)) if head else None
    if isinstance(frame, ServerRequest):
        frame.problem = reason
        return frame
    if isinstance(frame, Notification) and frame.method in ENDS and (frame.turn_id or frame.login_id):
        return UnreadableNotification(frame.method, frame.params, reason)
    return None


def _frames_within(line: bytes) -> list[Response | Notification | ServerRequest]:
    """Return the complete frames of a line that other output has run into, before, between or after them.

    After an object that is broken only a frame that ends the line counts: another may have been a part of that object.
    """
    # Bytes that are not UTF-8 survive the way to text and back, so a frame that contains them stays unreadable.
    text = line.decode("utf-8", "surrogateescape")
    frames: list[Response | Notification | ServerRequest] = []
    position, tries, in_vain, is_broken = 0, 0, 0, False
    while tries < _MOST_TRIES and in_vain < _MOST_IN_VAIN and (begin := _BEGINNING.search(text, position)):
        tries += 1
        try:
            _, end = _scan(text, begin.start())
            # The whole line is known to be unreadable.
            part = "" if begin.start() == 0 and end == len(text) else text[begin.start() : end]
        except (ValueError, RecursionError) as error:
            in_vain += getattr(error, "pos", len(text)) - begin.start()
            position, is_broken = begin.start() + 1, True
            continue
        position = end
        frame = decode(part.encode("utf-8", "surrogateescape"))
        if not isinstance(frame, Skipped) and not (is_broken and text[end:].strip()):
            frames.append(frame)
            tries = 0
    return frames


def encode_request(request_id: RequestId, method: str, params: Any = None) -> bytes:
    """Encode a request as one line; ``params=None`` leaves the member out."""
    if params is None:
        return _encode({"id": request_id, "method": method}, method)
    return _encode({"id": request_id, "method": method, "params": params}, method)


def encode_notification(method: str) -> bytes:
    """Encode a notification as one line. Those of this client have no params."""
    return _encode({"method": method}, method)


def encode_result(request_id: RequestId, result: Any) -> bytes:
    """Encode the result of a server request as one line."""
    return _encode({"id": request_id, "result": result}, "result")


def encode_error(request_id: RequestId, code: int, message: str) -> bytes:
    """Encode an error as the answer to a server request, as one line."""
    return _encode({"id": request_id, "error": {"code": code, "message": message}}, "error")


def _encode(frame: dict[str, Any], what: str) -> bytes:
    try:
        return orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError as error:  # an unpaired surrogate, an integer beyond 64 bits, or a type that JSON lacks
        raise ConfigError(what, f"cannot be written as JSON: {error}") from error


PING_ID = "ping"
"""The id of the request that asks a silent runtime for a sign of life. Ids of other requests are integers."""

PING = encode_request(PING_ID, "thread/loaded/list", {})
"""That request: cheap for the runtime (0.5 ms), and without effect."""

UNDO_ID = "undo"
"""The id of all requests that are repeated until their effect shows; their responses are ignored."""

UNCOUNTED_IDS = frozenset({PING_ID, UNDO_ID})
"""The ids of requests whose response nothing waits for."""
