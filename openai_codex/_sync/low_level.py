# Derived from openai_codex/_async/low_level.py by `python -m tools.unasync`; do not edit.
"""The low-level client of the published SDK, as far as programs use it; it is private there, and nothing here rests on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from openai_codex import _checks as checks
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._sync import lazy
from openai_codex._sync.codex import Codex
from openai_codex._config import AppServerConfig
from openai_codex._protocol.methods import SERVER_REQUESTS
from openai_codex._runtime.imports import load
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.errors import ConfigError, DecodeError

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self

_VERBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "account_login_cancel": ("account/login/cancel", ("login_id",)),
    "account_login_start": ("account/login/start", ()),
    "account_logout": ("account/logout", ()),
    "account_read": ("account/read", ()),
    "model_list": ("model/list", ("include_hidden",)),
    "thread_archive": ("thread/archive", ("thread_id",)),
    "thread_compact": ("thread/compact/start", ("thread_id",)),
    "thread_fork": ("thread/fork", ("thread_id",)),
    "thread_goal_clear": ("thread/goal/clear", ("thread_id",)),
    "thread_goal_set": ("thread/goal/set", ("thread_id",)),
    "thread_list": ("thread/list", ()),
    "thread_read": ("thread/read", ("thread_id", "include_turns")),
    "thread_resume": ("thread/resume", ("thread_id",)),
    "thread_set_name": ("thread/name/set", ("thread_id", "name")),
    "thread_start": ("thread/start", ()),
    "thread_unarchive": ("thread/unarchive", ("thread_id",)),
    "turn_interrupt": ("turn/interrupt", ("thread_id", "turn_id")),
    "turn_start": ("turn/start", ("thread_id", "input_items")),
    "turn_steer": ("turn/steer", ("thread_id", "expected_turn_id", "input_items")),
}
"""Method of this class → method of the protocol, and the names of the arguments before the params."""

ApprovalHandler: TypeAlias = Callable[[str, Any], Mapping[str, Any]]
"""A function that takes the method and the params of a request of the runtime, and returns the answer."""

_OWN = "item/tool/call"  # the tools of the program, which the published SDK does not have

_INSTEAD = (
    "codex.events(…) and turn.stream() have the notifications, codex.health() and codex.metadata describe the runtime"
)


class LowLevel(NotPickled):
    """What programs for the published SDK find as ``codex._client``.

    It has `request`, the methods that send one request, and ``_approval_handler``. A thread handle can be made of it, as of
    the client: ``Thread(codex._client, thread_id)``.
    """

    _TO_PICKLE = "make a client of the same AppServerConfig, which can be pickled, or send a Job to run_job"

    _codex: Codex | None = None

    def __init__(self, codex: Codex) -> None:
        vars(self)["_codex"] = codex

    @property
    def _connection(self) -> lazy.Connection:
        return self._started()._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  as a handle has it

    def _started(self) -> Codex:
        if self._codex is None:
            raise ConfigError("client", "it is not started: call start() first")
        return self._codex

    @property
    def request(self) -> Callable[..., Any]:
        """See `Codex.request`."""
        return self._started().request

    def __getattr__(self, name: str) -> Any:
        if name in _VERBS:
            return partial(self._send, name)
        raise AttributeError(f"the low-level client has no {name!r} here: {_INSTEAD}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "_approval_handler":
            raise AttributeError(f"the low-level client has no {name!r} that can be set")
        self._answer_by(value)

    def request_with_retry_on_overload(
        self, method: str, params: Any = None, *, response_model: type[Any] | None = None, **options: Any
    ) -> Any:
        """Send a request, and again when the runtime is busy; the options are those of `retry_on_overload`."""
        send = partial(self.request, method, params, response_model=response_model)
        return load("openai_codex.retry").retry_on_overload(send, **options)

    def next_notification(self) -> Any:
        """Wait for the next notification of any kind, from the first call on; see `Codex.events`."""
        if "_events" not in vars(self):
            vars(self)["_events"] = self._started().events()
        return vars(self)["_events"].__next__()

    def _send(self, verb: str, *given: Any, params: Any = None, **named: Any) -> Any:
        method, names = _VERBS[verb]
        values = dict(zip(names, given, strict=False)) | named
        several = [*given[len(names) :], *(() if params is None else (params,))]
        if len(several) > 1:
            raise TypeError(f"{verb} takes {', '.join((*names, 'params'))}, got {len(names) + len(several)} values")
        asked = several[0] if several else None
        asked = {} if asked is None else asked if isinstance(asked, Mapping) else codec.unstructure(asked)
        items = values.pop("input_items", None)
        if items is not None:
            items = {"type": "text", "text": items} if isinstance(items, str) else items
            values["input"] = items if isinstance(items, list) else [items]
        return self.request(method, {**asked, **values})

    def _answer_by(self, handler: ApprovalHandler) -> None:
        """Let a function answer the requests of the runtime, as it does there: it takes the method and the params."""
        checks.plain_function("approval_handler", handler, "two arguments, the method and the params", None, None)
        connection = self._connection
        for method, (_, answer) in SERVER_REQUESTS.items():
            if method != _OWN:
                connection.handlers.by_method[method] = partial(_answer, handler, method, answer)

    @property
    def _sync(self) -> LowLevel:
        return self

    @property
    def _proc(self) -> Any:
        return self._connection.running().transport.process_info()

    @property
    def _stderr_lines(self) -> list[str]:
        return list(self._proc.stderr_tail)


class CodexClient(LowLevel):
    """The class of the published SDK for programs that make their own low-level client.

    Args:
        config: The configuration; ``None`` is the default one.
        approval_handler: A function that takes the method and the params of a request of the runtime and returns the
            answer, both as dicts. Without one requests are declined.
    """

    def __init__(
        self,
        config: AppServerConfig | None = None,
        approval_handler: ApprovalHandler | None = None,
    ) -> None:
        vars(self).update(config=config, _handler=approval_handler)

    def start(self) -> None:
        """Start the runtime. Raises what the constructor of `Codex` raises."""
        if self._codex is None:
            vars(self)["_codex"] = Codex(vars(self)["config"])
            if (handler := vars(self)["_handler"]) is not None:
                self._answer_by(handler)
        self._started().__enter__()

    def initialize(self) -> Any:
        """Return what the runtime has answered when it was started."""
        return self._started().metadata

    def close(self) -> None:
        """Stop the runtime."""
        if self._codex is not None:
            self._codex.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _answer(handler: ApprovalHandler, method: str, answer: str, params: Any) -> Any:
    built = codec.structure_named(answer, handler(method, params.raw))
    for name, part in built:
        # Kept in what a runtime sends; here it is a misspelled decision, which a runtime would decline without a word.
        if isinstance(part, protocol.UnknownVariant) or (isinstance(part, protocol.OpenEnum) and not part.is_known):
            raise DecodeError(answer, (f"{name}: no value that the protocol has",))
    return built
