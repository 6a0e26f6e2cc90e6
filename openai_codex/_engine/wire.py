"""Bytes to frames and back. Sans I/O: no pipe, no thread, no state but an incomplete line.

A frame is one JSON object on one line. Any other line becomes a `Skipped` with the reason, never an exception.
"""

from __future__ import annotations

from typing import Any, TypeGuard, Union

import attrs
import orjson

from openai_codex._notification import Notification
from openai_codex.errors import ConfigError

RequestId = Union[int, str]


@attrs.define
class Response:
    """The response to a request of this client: ``error`` if it is not ``None``, else ``result``."""

    id: RequestId
    result: Any = None
    error: dict[str, Any] | None = None


@attrs.define
class ServerRequest:
    """A request from the runtime, which waits for the answer."""

    id: RequestId
    method: str
    params: dict[str, Any]


@attrs.define
class Skipped:
    """A line that is not a frame."""

    reason: str
    size: int


Frame = Union[Response, Notification, ServerRequest, Skipped]


class LineSplitter:
    """Cuts a byte stream into lines, in time linear in its length whatever the size of the chunks."""

    def __init__(self) -> None:
        # A list, joined once the line is complete: joining at each chunk would take quadratic time for a long line.
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Add the next bytes; return the lines that they complete, without line ends."""
        *complete, rest = chunk.split(b"\n")
        if complete and self._rest:
            complete[0] = b"".join((*self._rest, complete[0]))
            self._rest.clear()
        if rest:
            self._rest.append(rest)
        return complete

    def end(self) -> bytes:
        """Return the incomplete line at the end of the stream."""
        rest = b"".join(self._rest)
        self._rest.clear()
        return rest


def decode(line: bytes) -> Frame:
    """Decode one line. Only the envelope is interpreted; params and results stay decoded JSON."""
    # Called for every event: the types are compared exactly, which is faster than isinstance, and JSON has no subclasses.
    try:
        frame = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Skipped(f"not JSON: {error.msg}", len(line))
    if not isinstance(frame, dict):
        return Skipped(f"not an object: {type(frame).__name__}", len(line))
    method = frame.get("method")
    if type(method) is str:
        params = frame.get("params")
        if type(params) is not dict:
            # Params by position, or not an object at all: kept, so that an unknown notification shows what came.
            params = {} if params is None else {"params": params}
        if "id" in frame and _is_id(frame["id"]):
            return ServerRequest(frame["id"], method, params)
        return Notification(method, params, frame.get("emittedAtMs"))
    request_id = frame.get("id")
    if _is_id(request_id) and ("result" in frame or "error" in frame):
        return _response(request_id, frame)
    return Skipped("neither a method nor a response", len(line))


def _is_id(value: Any) -> TypeGuard[RequestId]:
    # By exact type: true and false are integers in Python, but not ids.
    return type(value) in {int, str}


def _response(request_id: RequestId, frame: dict[str, Any]) -> Response:
    error = frame.get("error")
    if error is None:
        return Response(request_id, frame.get("result"))
    # The runtime is not trusted to send an object here.
    return Response(request_id, error=error if isinstance(error, dict) else {"message": str(error)})


_OMITTED: Any = object()


def encode_request(request_id: RequestId, method: str, params: Any = _OMITTED) -> bytes:
    """Encode a request as one line; without ``params`` the member is left out."""
    return _encode({"id": request_id, **_call(method, params)}, method)


def encode_notification(method: str, params: Any = _OMITTED) -> bytes:
    """Encode a notification as one line."""
    return _encode(_call(method, params), method)


def encode_result(request_id: RequestId, result: Any) -> bytes:
    """Encode the result of a server request as one line."""
    return _encode({"id": request_id, "result": result}, "result")


def encode_error(request_id: RequestId, code: int, message: str) -> bytes:
    """Encode an error as the answer to a server request, as one line."""
    return _encode({"id": request_id, "error": {"code": code, "message": message}}, "error")


def _call(method: str, params: Any) -> dict[str, Any]:
    return {"method": method} if params is _OMITTED else {"method": method, "params": params}


def _encode(frame: dict[str, Any], what: str) -> bytes:
    try:
        return orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError as error:  # an unpaired surrogate, an integer beyond 64 bits, or a type that JSON lacks
        raise ConfigError(what, f"cannot be written as JSON: {error}") from error


PING_ID = "ping"
"""The id of the request that asks a silent runtime for a sign of life. Ids of other requests are integers."""

PING = encode_request(PING_ID, "thread/loaded/list", {})
"""That request: cheap for the runtime (0.5 ms), and without effect."""
