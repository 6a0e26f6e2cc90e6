"""The command `run`: one turn of the model, shown while it runs."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from openai_codex._cli.displays import Display, JsonDisplay, PlainDisplay
from openai_codex._cli.options import Command, add_runtime_options, json_file, prompt, runtime_config, seconds
from openai_codex._cli.output import Warnings, is_terminal, write_line
from openai_codex._cli.questions import Questions, can_ask
from openai_codex._log import SWITCH
from openai_codex._turns.options import Sandbox
from openai_codex.errors import CodexError, ConfigError, TurnFailedError

if TYPE_CHECKING:
    from openai_codex import AsyncEvents, RunResult

_MANUAL = """\
Run one turn of the model, and show its text, commands, changes of files, tokens and time while it runs.

Without a terminal the final answer goes to stdout and everything else to stderr, so that it can be used in scripts:

  openai-codex run "Which files are generated?" > answer.txt
  git diff | openai-codex run - --sandbox read-only --output-schema verdict.json
  openai-codex run "Fix the tests." --json --approve never | jq -r .event

--json writes one line per event of the runtime, {"event": METHOD, "params": {...}}, and a last one: {"result": {...}} with
the names of RunResult, or {"error": {"type", "message", "result"}} with what was done up to then.

What the runtime asks to approve is declined, unless a person at the terminal says yes, or --approve all is given."""

# How long the last events may take to arrive after the result of the same turn has, in seconds.
_LAST_EVENTS = 5.0

# The display keeps up with the runtime; behind a slow terminal, so many events wait in full.
_MOST_EVENTS = 100_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("prompt", type=prompt, help="what the model is asked; - reads it from stdin")
    parser.add_argument("-m", "--model", help="the model (default: that of the configuration)")
    parser.add_argument(
        "-s",
        "--sandbox",
        choices=[each.value for each in Sandbox],
        help="what commands may touch (default: that of the configuration)",
    )
    parser.add_argument(
        "--approve",
        choices=("ask", "never", "all"),
        default="ask",
        help="what happens to requests for approval: ask the person at the terminal and decline without one (the default), "
        "decline all, or accept all unseen (for containers)",
    )
    parser.add_argument("--output-schema", metavar="FILE", type=json_file, help="the JSON schema of the final answer")
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds, help="interrupt the turn after so long")
    parser.add_argument(
        "--stall-timeout", metavar="SECONDS", type=seconds, help="interrupt the turn after so long without progress"
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="write one line of JSON per event, the last with the result")
    shape.add_argument("--plain", action="store_true", help="plain text, also on a terminal")
    add_runtime_options(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the turn."""
    asked = sys.stdin.read() if options.prompt == "-" else options.prompt
    if not asked.strip():
        raise ConfigError("prompt", "stdin is empty")
    with ExitStack() as stack:
        display = stack.enter_context(_display(options))
        if not options.debug:  # else the log has them
            stack.enter_context(Warnings(lambda text: display.note(text, "yellow")))
        try:
            result = asyncio.run(_run(options, asked, display))
        except (CodexError, KeyboardInterrupt) as error:
            display.fail(error)
            raise
        display.finish(result)
    if result.status != "completed":
        write_line(f"openai-codex: the turn was {getattr(result.status, 'value', result.status)}")
        return 1
    return 0


COMMAND = Command("run", "run one turn of the model, and show it", _MANUAL, add_options, execute)


def _display(options: argparse.Namespace) -> Display:
    """Choose how the turn is shown: live only where nothing else writes to the terminal, and rich is installed."""
    if options.json:
        return JsonDisplay()
    has_log, is_dumb = options.debug or os.environ.get(SWITCH), os.environ.get("TERM", "dumb") == "dumb"
    if options.plain or has_log or is_dumb or not is_terminal(sys.stdout) or find_spec("rich") is None:
        return PlainDisplay()
    from openai_codex._cli.live import LiveDisplay

    return LiveDisplay()


async def _run(options: argparse.Namespace, asked: str, display: Display) -> RunResult:
    from openai_codex import AsyncCodex

    questions = Questions(options.approve, display, on_terminal=can_ask())
    async with AsyncCodex(runtime_config(options), on_approval=questions.decide) as codex:
        thread = await codex.thread_start(model=options.model, sandbox=options.sandbox)
        display.thread_id = thread.id
        events = codex.events(limit=_MOST_EVENTS)
        settings: dict[str, Any] = {"timeout": options.timeout, "stall_timeout": options.stall_timeout}
        turn = asyncio.ensure_future(thread.run(asked, output_schema=options.output_schema, **settings))
        watch = asyncio.ensure_future(_watch(events, display))
        try:
            await asyncio.wait({turn, watch}, return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                watch.result()  # raises if the output cannot be written
            await asyncio.wait({turn})
            if isinstance(turn.exception(), (TurnFailedError, type(None))):  # the events of its end have come, too
                await asyncio.wait({watch}, timeout=_LAST_EVENTS)
            return turn.result()
        finally:
            # An exception, such as Ctrl-C, gives the turn up: its call interrupts it.
            turn.cancel()
            watch.cancel()
            await asyncio.gather(turn, watch, return_exceptions=True)


async def _watch(events: AsyncEvents, display: Display) -> None:
    """Show events up to the end of the turn."""
    try:
        async for event in events:
            display.event(event)
            if event.method == "turn/completed" and event.thread_id == display.thread_id:
                break
    except CodexError:  # the connection has ended, and the call of the turn says why
        return
    if events.dropped:
        display.note(f"{events.dropped} events are not shown", "yellow")
