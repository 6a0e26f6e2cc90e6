"""`JobResult`: what became of a job, and its JSON form."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import attrs

from openai_codex import _checks as checks
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._codec.plain import plain
from openai_codex._jobs.failure import JobError
from openai_codex._jobs.job import Job
from openai_codex._jobs.paths import found
from openai_codex._jobs.worktree import Worktree
from openai_codex._schemas.output import output_type
from openai_codex._turns.results import Agent, DeclinedRequest, RunResult, UnfinishedItem
from openai_codex.errors import CodexError, ConfigError, OutputError

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self

JobStatus: TypeAlias = Literal["completed", "stopped", "failed"]
StopReason: TypeAlias = Literal["max_tokens", "cancelled"]

# How long a text in the facts of an error may be: longer ones are payloads.
_LONGEST_FACT = 1_000


@attrs.frozen(kw_only=True, repr=False)
class JobResult:
    """What became of a job. Its ``repr`` is one short line; `to_dict` has everything.

    Attributes:
        job: The job.
        status: ``completed``: all prompts were answered; ``stopped``: see ``stopped``; ``failed``: see ``error``.
        results: The result of each turn that was run to its end, in order; the last one may be an interrupted turn. Those
            of turns that an earlier process has run are as the runtime has stored them, without their tokens.
        error: Why it failed; ``None`` if it did not. The partial result of the turn that failed is in it.
        stopped: Why it was stopped: ``max_tokens`` or ``cancelled``; ``None`` if it was not.
        thread_id: Id of its thread; ``None`` if it was not started. `run_job` continues there.
        tokens: The tokens that its thread has used, without those of sub-agents; ``None`` if none were reported.
        worktree: Its git worktree, if it has a ``repo``: branch, commits and diff.
        attempts: How often it was started, by pools and processes: 1 if nothing was lost on the way.
        process: Id of the process that carried it out.
        queued_at: When it was submitted to a pool, in seconds since the epoch; ``None`` without a pool.
        started_at: When it was started last, in seconds since the epoch.
        ended_at: When it ended, in seconds since the epoch.
    """

    job: Job
    status: JobStatus
    results: tuple[RunResult[Any], ...] = ()
    error: CodexError | None = None
    stopped: StopReason | None = None
    thread_id: str | None = None
    tokens: int | None = None
    worktree: Worktree | None = None
    attempts: int = 1
    process: int | None = None
    queued_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def key(self) -> str | None:
        """The key of the job."""
        return self.job.key

    @property
    def final_response(self) -> str | None:
        """The answer of the last turn that has a result; ``None`` if there is none."""
        return self.results[-1].final_response if self.results else None

    @property
    def output(self) -> Any:
        """The answer to the last prompt as an instance of ``output_type``; ``None`` if there is none."""
        return self.results[-1].output if self.results else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values: dicts, lists, texts, numbers, bools and ``None``. `from_dict` is the other direction."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
        values |= {
            "job": self.job.to_dict(),
            "results": [result.to_dict() for result in self.results],
            "error": None if self.error is None else _described(self.error),
            "worktree": plain(self.worktree),
        }
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the result that `to_dict` has made a dict of.

        The error is a `JobError` with the name and the text of the original one. An ``output`` is built from the answer,
        if the ``output_type`` can be imported here; otherwise it is as JSON has it.

        Raises:
            ConfigError: No result is like this.
        """
        given = checks.mapping("result", values)
        try:
            job = Job.from_dict(given["job"])
            given |= {
                "job": job,
                "results": tuple(map(_result, given["results"])),
                "error": None if given["error"] is None else _error(given["error"]),
                "worktree": None if (tree := given.get("worktree")) is None else Worktree(**tree),
            }
            result: Self = _with_output(cls(**given))
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError("result", f"no result is like this: {type(error).__name__}: {error}") from error
        return result

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        """Yield what a short text about it shows, for the library rich, too."""
        yield "status", self.status
        for name in ("key", "stopped", "error", "thread_id", "tokens"):
            if (value := getattr(self, name)) is not None:
                yield name, value
        yield "results", len(self.results)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"


# -- JSON -------------------------------------------------------------------------------------------------------------


def _described(error: CodexError) -> dict[str, Any]:
    if isinstance(error, JobError):
        return {"kind": error.kind, "reason": error.reason, "facts": plain(error.facts)}
    facts = {
        name: value
        for name, each in dict(vars(error)).items()  # a copy: what wants a report may note more
        if isinstance(value := plain(each), (str, int, float, bool)) and len(str(value)) <= _LONGEST_FACT
    }
    return {"kind": type(error).__name__, "reason": str(error), "facts": facts}


def _error(values: Mapping[str, Any]) -> JobError:
    return JobError(values["kind"], values["reason"], dict(values["facts"]))


# Fields of a result that are not plain values → what is in them. `None` stays.
_TYPES: dict[str, Any] = {
    "status": protocol.TurnStatus,
    "error": protocol.TurnError,
    "items": list[protocol.ThreadItem],
    "items_view": protocol.TurnItemsView,
    "usage": protocol.ThreadTokenUsage,
    "turn_usage": protocol.TokenUsageBreakdown,
    "total_usage": protocol.TokenUsageBreakdown,
    "last": protocol.TokenUsageBreakdown,
    "item": protocol.ThreadItem,
}
_PARTS: dict[str, Any] = {"declined": DeclinedRequest, "unfinished": UnfinishedItem, "agents": Agent}


def _result(values: Mapping[str, Any]) -> RunResult[Any]:
    parts = {name: [_built(kind, each) for each in values[name]] for name, kind in _PARTS.items()}
    result: RunResult[Any] = _built(RunResult, {**values, **parts, "agents": tuple(parts["agents"])})
    return result


def _built(kind: Any, values: Mapping[str, Any]) -> Any:
    types = {**_TYPES, "usage": protocol.TokenUsageBreakdown} if kind is Agent else _TYPES
    return kind(**{name: _value(types.get(name), value) for name, value in values.items()})


def _value(type_: Any, value: Any) -> Any:
    return value if type_ is None or value is None else codec.structure(type_, codec.to_wire(type_, value))


def _with_output(result: Any) -> Any:
    """Return a result whose last answer has its output again."""
    last = result.results[-1] if result.results else None
    if result.job.output_type is None or last is None or last.output is None:
        return result
    try:
        output = output_type(found("output_type", result.job.output_type)).decode(last.final_response)
    except (ConfigError, OutputError):  # another program, which has no such class, or another version of it
        return result
    return attrs.evolve(result, results=(*result.results[:-1], attrs.evolve(last, output=output)))
