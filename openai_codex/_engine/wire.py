"""Lines and frames: bytes in, frames out, and back. Sans I/O: no pipe, no thread, no state but half a line.

A frame is one JSON object on one line. What is no frame becomes a `Skipped` with the reason, never an exception.
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
    """The reply to a request of ours: exactly one of ``result`` and ``error`` counts."""

    id: RequestId
    result: Any = None
    error: dict[str, Any] | None = None


@attrs.define
class ServerRequest:
    """A request that the runtime sends to us and wants answered."""

    id: RequestId
    method: str
    params: dict[str, Any]


@attrs.define
class Skipped:
    """A line that is no frame."""

    reason: str
    size: int


Frame = Union[Response, Notification, ServerRequest, Skipped]


class LineSplitter:
    """Cuts a byte stream into lines, in time linear in its length however it is chopped."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes; return the lines that they complete, without their line ends."""
        *complete, rest = chunk.split(b"\n")
        if complete and self._rest:
            complete[0] = b"".join((*self._rest, complete[0]))
            self._rest.clear()
        if rest:
            self._rest.append(rest)
        return complete

    def end(self) -> bytes:
        """Return what is left of an unfinished line at the end of the stream."""
        rest = b"".join(self._rest)
        self._rest.clear()
        return rest


def decode(line: bytes) -> Frame:
    """Read one line. Only the envelope is looked at; params and results stay decoded JSON."""
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
            params = {} if params is None else {"params": params}
        if "id" in frame and _is_id(frame["id"]):
            return ServerRequest(frame["id"], method, params)
        return Notification(method, params, frame.get("emittedAtMs"))
    request_id = frame.get("id")
    if _is_id(request_id) and ("result" in frame or "error" in frame):
        return _response(request_id, frame)
    return Skipped("neither a method nor a reply", len(line))


def _is_id(value: Any) -> TypeGuard[RequestId]:
    # Exactly: true and false are integers to Python, and no ids.
    return type(value) in {int, str}


def _response(request_id: RequestId, frame: dict[str, Any]) -> Response:
    error = frame.get("error")
    if error is None:
        return Response(request_id, frame.get("result"))
    return Response(request_id, error=error if isinstance(error, dict) else {"message": str(error)})


_OMITTED: Any = object()


def encode_request(request_id: RequestId, method: str, params: Any = _OMITTED) -> bytes:
    """Write a request as one line; without ``params`` the member is left out."""
    return _encode({"id": request_id, **_call(method, params)}, method)


def encode_notification(method: str, params: Any = _OMITTED) -> bytes:
    """Write a notification as one line."""
    return _encode(_call(method, params), method)


def encode_result(request_id: RequestId, result: Any) -> bytes:
    """Write the answer to a server request as one line."""
    return _encode({"id": request_id, "result": result}, "result")


def encode_error(request_id: RequestId, code: int, message: str) -> bytes:
    """Write the refusal of a server request as one line."""
    return _encode({"id": request_id, "error": {"code": code, "message": message}}, "error")


def _call(method: str, params: Any) -> dict[str, Any]:
    return {"method": method} if params is _OMITTED else {"method": method, "params": params}


def _encode(frame: dict[str, Any], what: str) -> bytes:
    try:
        return orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError as error:  # a lone surrogate, an integer beyond 64 bits, a type that JSON has not
        raise ConfigError(what, f"cannot be written as JSON: {error}") from error
