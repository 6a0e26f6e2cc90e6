"""A bare `run()`: one small turn after another, in one thread that has no other work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import AsyncCodex, Codex, CodexConfig

from . import gauge, observing

if TYPE_CHECKING:
    from openai_codex import AsyncThread, Thread

SHARES = 20
"""The number of shares, the best of which counts."""


def sync_face(runs: int) -> None:
    """One run after another."""
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME, **observing.settings())) as codex:
        thread = codex.thread_start()
        gauge.report(**gauge.best([_share(thread, runs // SHARES) for _ in range(SHARES)]))


async def async_face(runs: int) -> None:
    """One run after another, in one task."""
    async with AsyncCodex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME, **observing.settings())) as codex:
        thread = await codex.thread_start()
        gauge.report(**gauge.best([await _async_share(thread, runs // SHARES) for _ in range(SHARES)]))


def _share(thread: Thread, runs: int) -> dict[str, float]:
    span = gauge.Span()
    for _ in range(runs):
        assert thread.run("answer").final_response == "ok"
    return span.rates(runs)


async def _async_share(thread: AsyncThread, runs: int) -> dict[str, float]:
    span = gauge.Span()
    for _ in range(runs):
        assert (await thread.run("answer")).final_response == "ok"
    return span.rates(runs)


if __name__ == "__main__":
    gauge.main(sync_face, async_face)
