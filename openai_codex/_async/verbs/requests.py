"""Any request of the protocol: by the class of its params, or by the name of its method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, overload

from openai_codex import _checks as checks
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._async import lazy
from openai_codex._runtime.imports import load
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.errors import ConfigError

M = TypeVar("M")
R = TypeVar("R")


class AsyncRequests(NotPickled):
    """The part of a client that sends typed requests."""

    _TO_PICKLE = "make a client of the same AppServerConfig, which can be pickled, or send a Job to run_job"

    _connection: lazy.AsyncConnection

    @overload
    async def request(self, method: protocol.ClientRequest[R], *, timeout: float | None = None) -> R: ...

    @overload
    async def request(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        response_model: type[M],
        timeout: float | None = None,
    ) -> M: ...

    @overload
    async def request(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> Any: ...

    async def request(
        self,
        method: protocol.ClientRequest[Any] | str,
        params: Mapping[str, Any] | None = None,
        *,
        response_model: type[Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Send any request of the protocol and return its typed result.

        The class of the params decides the method and the type of the result; `openai_codex.types` has all of them. A
        request by name, such as ``request("thread/read", {"threadId": id})``, returns the same result, and one of a
        method that this version does not know the decoded JSON.

        Args:
            method: The params of the request, or the name of its method.
            params: For a name, its params, with the names of the protocol or of attributes. What the method does not
                know is sent as it is.
            response_model: The class of the result, for type checkers; a class of the program is built from the JSON by
                its ``model_validate``.
            timeout: How long to wait for the reply, in seconds; ``None`` means the client's ``request_timeout``.

        Returns:
            The result.

        Raises:
            ConfigError: An argument is not accepted, or the params are not those of the method. Nothing was sent.
            RequestTimeoutError: No reply came within ``timeout``. A late reply is dropped.
            JsonRpcError: The runtime refuses the request; see its subclasses.
            DecodeError: The result does not fit its type.
            TransportClosedError: The connection has ended.
            LaunchError: The runtime had to be started, and did not start.

        Cancelling stops the wait; what the runtime has done is not undone.
        """
        timeout = None if timeout is None else checks.seconds("timeout", timeout)
        if response_model is not None and not hasattr(response_model, "model_validate"):
            raise checks.refusal("response_model", response_model, "a class with model_validate")
        accepted = "the params of a request, such as ModelListParams(), or a method"
        if params is not None:
            checks.mapping("params", params)
        if isinstance(method, str):
            method = codec.request_of(checks.filled("method", method), params)
        elif params is not None:
            raise ConfigError("params", "the request has its own")
        checks.instance("method", method, protocol.ClientRequest, accepted)
        result = await self._connection.request(method, timeout=timeout)
        if method.METHOD in {"thread/start", "thread/fork"}:
            self._connection.hold(cast("protocol.ThreadStartResponse", result).thread.id, None)
        return result if response_model is None else codec.modelled(response_model, result)

    @property
    def _client(self) -> Any:
        return load(f"{__name__.rpartition('.verbs')[0]}.low_level").AsyncLowLevel(self)
