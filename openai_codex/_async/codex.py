"""The client: one runtime process, and the threads in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from openai_codex import protocol
from openai_codex._async import _wait
from openai_codex._async.connection import AsyncConnection
from openai_codex._async.thread import AsyncThread
from openai_codex.config import AppServerConfig
from openai_codex.errors import ConfigError
from openai_codex.options import ApprovalPolicyLike, PersonalityLike, SandboxLike, given, opened

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex.metadata import Metadata

R = TypeVar("R")


class AsyncCodex:
    """A client with a runtime process of its own: use it by ``async with``, or call `close`.

    Safe for several callers at once. The runtime starts in the constructor; where that cannot wait, in the async face,
    on entry or with the first call.

    Args:
        config: how to start the runtime and how long to wait for it; ``None``: the defaults of `AppServerConfig`.

    Raises `LaunchError` when the runtime does not come up within ``start_timeout``.
    """

    def __init__(self, config: AppServerConfig | None = None) -> None:
        self._connection = AsyncConnection(config or AppServerConfig())
        _wait.connect_in_constructor(self._connection.open)

    async def __aenter__(self) -> Self:
        await self._connection.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def metadata(self) -> Metadata:
        """What the runtime says of itself. Raises `ConfigError` before the client is connected."""
        metadata = self._connection.metadata
        if metadata is None:
            raise ConfigError("metadata", "the client is not connected yet: enter it, or make a first call")
        return metadata

    async def close(self) -> None:
        """Stop the runtime: everyone who waits is woken with `TransportClosedError`, the process ended and reaped.

        Idempotent; takes at most ``shutdown_timeout`` seconds.
        """
        await self._connection.close()

    async def request(self, params: protocol.ClientRequest[R], *, timeout: float | None = None) -> R:
        """Send any request of the protocol and return its typed result.

        The params class decides the method and the type of the result: all of `openai_codex.protocol` works here.

        Args:
            params: the request.
            timeout: how long to wait for the reply, in seconds; ``None``: the configured ``request_timeout``.

        Raises `RequestTimeoutError` when no reply came in time (a late one is dropped), `JsonRpcError` or one of its
        subclasses when the runtime refuses, `DecodeError` when the result does not fit its type, `TransportClosedError`
        when the connection is gone, and `ConfigError` when the params cannot be written as JSON. Cancelling takes
        back nothing that the runtime has done.
        """
        return await self._connection.request(params, timeout=timeout)

    async def thread_start(
        self,
        *,
        approval_policy: ApprovalPolicyLike | None = None,
        base_instructions: str | None = None,
        config: dict[str, Any] | None = None,
        cwd: str | None = None,
        developer_instructions: str | None = None,
        ephemeral: bool | None = None,
        model: str | None = None,
        model_provider: str | None = None,
        personality: PersonalityLike | None = None,
        sandbox: SandboxLike | None = None,
    ) -> AsyncThread:
        """Start a thread (`thread/start`). What is ``None`` is not sent: the user's own configuration holds.

        Args:
            approval_policy: when the runtime asks before it acts.
            base_instructions: instead of the runtime's own instructions for the model.
            config: settings of ``config.toml`` for this thread.
            cwd: working directory of commands.
            developer_instructions: more instructions, beside the runtime's own.
            ephemeral: keep it in memory only; such a thread is fast, and cannot be resumed, listed or named.
            model: the model to use.
            model_provider: the provider to use.
            personality: the manner of the answers.
            sandbox: what commands may touch.
        """
        params = protocol.ThreadStartParams(
            approval_policy=opened(protocol.ApprovalPolicy, approval_policy),
            base_instructions=given(base_instructions),
            config=given(config),
            cwd=given(cwd),
            developer_instructions=given(developer_instructions),
            ephemeral=given(ephemeral),
            model=given(model),
            model_provider=given(model_provider),
            personality=opened(protocol.Personality, personality),
            sandbox=opened(protocol.SandboxMode, sandbox),
        )
        response = await self.request(params)
        return AsyncThread(self._connection, response.thread.id)

    async def thread_resume(
        self,
        thread_id: str,
        *,
        approval_policy: ApprovalPolicyLike | None = None,
        base_instructions: str | None = None,
        config: dict[str, Any] | None = None,
        cwd: str | None = None,
        developer_instructions: str | None = None,
        model: str | None = None,
        model_provider: str | None = None,
        personality: PersonalityLike | None = None,
        sandbox: SandboxLike | None = None,
    ) -> AsyncThread:
        """Load a stored thread and go on with it, in this process or a fresh one (`thread/resume`).

        Takes what `thread_start` takes. Raises `InvalidRequestError` if there is no such thread, if it never had a
        turn, if it is archived, or if another process has it open.
        """
        params = protocol.ThreadResumeParams(
            thread_id=thread_id,
            # The turns are left where they are: a long history would make a frame of many megabytes.
            exclude_turns=True,
            approval_policy=opened(protocol.ApprovalPolicy, approval_policy),
            base_instructions=given(base_instructions),
            config=given(config),
            cwd=given(cwd),
            developer_instructions=given(developer_instructions),
            model=given(model),
            model_provider=given(model_provider),
            personality=opened(protocol.Personality, personality),
            sandbox=opened(protocol.SandboxMode, sandbox),
        )
        response = await self.request(params)
        return AsyncThread(self._connection, response.thread.id)
