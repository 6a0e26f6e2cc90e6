"""`Job`: a conversation to be carried out, as a value that is checked when it is made."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

import attrs

from openai_codex import _checks as checks
from openai_codex._codec.plain import plain
from openai_codex._config import StrPath
from openai_codex._jobs.paths import check_path, path_of
from openai_codex._runtime.imports import load
from openai_codex.errors import ConfigError

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self

Keep: TypeAlias = Literal["changed", "always", "never"]
"""Which worktrees are kept when their jobs end."""

_KEEP = ("changed", "always", "never")

# What has a field of its own, or makes no sense for a thread without a handle.
_NOT_OF_THREAD = frozenset({"self", "tools", "cwd"})
_NOT_OF_TURN = frozenset(
    {"self", "input", "agents", "cwd", "output_type", "output_retries", "retries", "stall_timeout", "timeout"}
)


# Converters leave what cannot work as it is: the validators behind them know the name of the field.


def _texts(value: Sequence[str]) -> tuple[str, ...]:
    is_one = not isinstance(value, Sequence) or isinstance(value, (str, bytes))
    return cast("tuple[str, ...]", value) if is_one else tuple(value)


def _check_prompts(name: str, value: Any) -> None:
    accepted = "a sequence of texts, each the input of one turn"
    if not checks.each(name, value, checks.prose, accepted):
        raise checks.refusal(name, value, f"{accepted}, not empty")


def _check_tools(name: str, value: Any) -> None:
    checks.each(name, value, check_path, "a sequence of import paths")


def _settings(value: Mapping[str, Any]) -> dict[str, Any]:
    """Turn settings into JSON values, so that they are the same when they come from a file."""
    is_one = isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    return cast("dict[str, Any]", plain(value) if is_one else value)


def _absolute(value: StrPath | None) -> str | None:
    """Make a path absolute: a worker may be in another directory."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    return os.path.abspath(path) if isinstance(path, str) and path else path  # noqa: PTH100  a str


def _check_ref(name: str, value: Any) -> None:
    if checks.filled(name, value).startswith("-"):
        raise checks.refusal(name, value, "the name of a commit, which does not begin with '-'")


def _check_keep(name: str, value: Any) -> None:
    if value not in _KEEP:
        raise checks.refusal(name, value, f"one of {', '.join(map(repr, _KEEP))}")


def _type(value: type[Any] | str | None) -> str | None:
    return None if value is None else path_of("output_type", value)


@functools.cache
def _names(function: str) -> frozenset[str]:
    """Return the arguments of a method of the sync face, loaded when the first job has settings."""
    owner, name = function.split(".")
    module = "openai_codex._sync." + ("codex" if owner == "Codex" else "thread")
    return frozenset(inspect.signature(getattr(getattr(load(module), owner), name)).parameters)


def _check_thread(name: str, value: Any) -> None:
    known = _names("Codex.thread_start") - _NOT_OF_THREAD
    settings = _known(name, value, known)
    _named(name, lambda: load("openai_codex._turns.settings").thread_fields({**dict.fromkeys(known), **settings}))


def _check_turn(name: str, value: Any) -> None:
    settings = _known(name, value, _names("Thread.run") - _NOT_OF_TURN)
    _named(name, lambda: load("openai_codex._turns.settings").turn_fields(settings))


def _known(name: str, value: Any, known: frozenset[str]) -> dict[str, Any]:
    settings = checks.mapping(name, value)
    unknown = sorted(settings.keys() - known)
    if unknown:
        raise ConfigError(name, f"expected settings among {', '.join(sorted(known))}, got {unknown[0]!r}")
    return settings


def _named(name: str, check: Callable[[], object]) -> None:
    """Run a check of settings; its error names the field of the job, too."""
    try:
        check()
    except ConfigError as error:
        raise ConfigError(f"{name}[{error.what!r}]", error.reason) from None


def _labels(name: str, value: Any) -> None:
    for key, text in checks.mapping(name, value).items():
        checks.text(f"{name}[{key!r}]", text)


_optional = attrs.validators.optional
_flag = checks.validator(checks.flag)


@attrs.frozen(kw_only=True)
class Job:
    """A conversation to be carried out: one prompt, or several as the turns of one thread.

    It holds plain values only, so it can be pickled, stored as JSON, and carried out by any process that can import what
    it names. It is checked when it is made.

    Attributes:
        prompts: The inputs of the turns, in order.
        thread: Settings of the thread: arguments of `Codex.thread_start` by name, for instance
            ``{"model": "gpt-5.4", "sandbox": "read-only"}``. They have to be JSON values.
        turn: Settings of each turn: arguments of `Thread.run` by name, for instance ``{"effort": "low"}``.
        output_type: The type of the answer of the last turn, a class or its import path, ``"pkg.mod:Answer"``; kept as
            the path.
        tools: Import paths of functions that the model may call, ``"pkg.mod:fn"``.
        timeout: How long it may take from when it is started, in seconds; ``None`` means no limit. Waiting in a pool, and
            for the reset of a usage limit, does not count.
        max_tokens: How many tokens its thread may use. The turn that exceeds it is interrupted, and no other follows:
            ``JobResult.stopped`` says so. A single call of the model may exceed it. ``None`` means no limit.
        on_budget: Import path of a function that decides when ``max_tokens`` is exceeded. It takes the job and the tokens
            used, and returns a new limit, or ``None`` to stop, as a limit that is exceeded does. The interrupted turn is then
            continued. It must not be a coroutine function.
        retries: How often a turn is continued that failed for a reason that passes; see `Thread.run`.
        key: What tells it from others where results are stored: a job with the key of a finished one is not carried out
            again. ``None``: the state of a pool takes the n-th equal job of a program for the n-th that it has.
        labels: Texts for the program, which the result has, too.
        cwd: Working directory of the thread; ``None`` means that of the client. A relative one, as that of ``repo``, is made
            absolute here: the process that carries the job out may be in another directory.
        repo: A git repository, of which the job gets a worktree of its own to work in; excludes ``cwd``. A directory
            within it stands for that directory of the worktree. The branch is ``codex-job/NAME`` and the directory
            ``REPO.worktrees/NAME`` beside the repository (below ``.git/openai-codex/trees`` if that could not be written,
            or would be within another repository), with a NAME made of ``key``. So the job finds its tree again when it is
            carried on, and so does a later job with the key while the tree is kept. Submodules are empty, and files of Git
            LFS are their pointers. `JobResult.worktree` says what is in it at the end.
        ref: The commit that the worktree begins with: a branch, a tag, an id; ``None`` means what is checked out in ``repo``.
        keep: Whether the worktree stays with its branch when the job has ended: ``"changed"``, if anything was changed or
            committed; ``"always"``; or ``"never"``, so that only the diff in the result is left (and the tree, if the diff
            is cut). One of a job that has lost its runtime stays, as the job can be carried on.
        idempotent: Whether it may be carried out again if it cannot be found out what became of it. Otherwise a turn that
            the runtime has accepted is never sent a second time.

    Raises:
        ConfigError: A value is not accepted. The error names it.
    """

    prompts: tuple[str, ...] = attrs.field(converter=_texts, validator=checks.validator(_check_prompts))
    thread: Mapping[str, Any] = attrs.field(
        factory=dict, converter=_settings, validator=checks.validator(_check_thread)
    )
    turn: Mapping[str, Any] = attrs.field(factory=dict, converter=_settings, validator=checks.validator(_check_turn))
    output_type: str | None = attrs.field(default=None, converter=_type)
    tools: tuple[str, ...] = attrs.field(default=(), converter=_texts, validator=checks.validator(_check_tools))
    timeout: float | None = attrs.field(default=None, validator=_optional(checks.validator(checks.finite_seconds)))
    max_tokens: int | None = attrs.field(default=None, validator=_optional(checks.validator(checks.count)))
    on_budget: str | None = attrs.field(default=None, validator=_optional(checks.validator(check_path)))
    retries: int = attrs.field(default=0, validator=checks.validator(checks.count, 0))
    key: str | None = attrs.field(default=None, validator=_optional(checks.validator(checks.filled)))
    labels: Mapping[str, str] = attrs.field(factory=dict, converter=_settings, validator=checks.validator(_labels))
    cwd: str | None = attrs.field(
        default=None, converter=_absolute, validator=_optional(checks.validator(checks.directory))
    )
    repo: str | None = attrs.field(
        default=None, converter=_absolute, validator=_optional(checks.validator(checks.directory))
    )
    ref: str | None = attrs.field(default=None, validator=_optional(checks.validator(_check_ref)))
    keep: Keep = attrs.field(default="changed", validator=checks.validator(_check_keep))  # pyright: ignore[reportAssignmentType]  it takes the literal for any str
    idempotent: bool = attrs.field(default=False, validator=_flag)

    def __attrs_post_init__(self) -> None:
        if self.on_budget is not None and self.max_tokens is None:
            raise ConfigError("on_budget", "it is called when max_tokens is exceeded; give that, too")
        if self.output_type is not None and "output_schema" in self.turn:
            raise ConfigError("turn['output_schema']", "an output_type brings its own schema; give one of them")
        if self.repo is not None and self.cwd is not None:
            raise ConfigError("repo", "the thread works in a worktree of it, and not in cwd; give one of them")
        if self.repo is None and (self.ref is not None or self.keep != "changed"):
            raise ConfigError("ref" if self.ref is not None else "keep", "it is about the worktree; give repo, too")

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values: dicts, lists, texts, numbers, bools and ``None``. `from_dict` is the other direction."""
        values: dict[str, Any] = plain(self)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the job that `to_dict` has made a dict of.

        Raises:
            ConfigError: A value is not accepted, or no job has a field of this name.
        """
        known = {field.name for field in attrs.fields(cls)}
        return cls(**_known("job", values, frozenset(known)))

    def fingerprint(self) -> str:
        """Return a text that equal jobs have, and no other."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()
