"""Evaluates idioms with the `openai_codex` of this interpreter: reads a task from stdin, writes the outcomes to stdout.

It is run as a script in the environment of either package, so it imports nothing of this repository.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import importlib
import inspect
import json
import sys
from enum import Enum
from typing import Any


def main() -> None:
    """Evaluate all idioms in a session with one turn that was streamed and one that was run."""
    task = json.load(sys.stdin)
    package: Any = importlib.import_module("openai_codex")
    settings = {"env": task["env"], "cwd": task["cwd"]}
    with package.Codex(package.CodexConfig(**settings)) as codex:
        thread = codex.thread_start(sandbox=package.Sandbox.read_only)
        names = {
            "settings": settings,
            "codex": codex,
            "thread": thread,
            "events": list(thread.turn("Hello").stream()),
            "result": thread.run("Hello again"),
        }
        outcomes = {idiom: _outcome(idiom, dict(names)) for idiom in task["idioms"]}
    json.dump(outcomes, sys.stdout)


def _outcome(code: str, names: dict[str, Any]) -> Any:
    try:
        return _shown(_value_of(code, names))
    except BaseException as error:  # noqa: BLE001  it is the outcome
        # The first class that every Python has: those of a package have names of their own.
        return {"raises": next(each.__name__ for each in type(error).__mro__ if hasattr(builtins, each.__name__))}


def _value_of(code: str, names: dict[str, Any]) -> Any:
    """Run statements and return the value of the last one, which is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr), code
    awaiting = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree.body.append(ast.Assign([ast.Name("value_of_the_last", ast.Store())], last.value))
    done = eval(compile(ast.fix_missing_locations(tree), "idiom", "exec", flags=awaiting), names)  # noqa: S307  our table
    if inspect.iscoroutine(done):
        asyncio.run(done)
    return names["value_of_the_last"]


def _shown(value: Any) -> Any:
    """Return a value as JSON that is equal for equal values of both packages."""
    if isinstance(value, Enum):
        return _shown(value.value)
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, dict):
        return {str(key): _shown(each) for key, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if isinstance(value, (list, tuple)):
        return [_shown(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else f"<{type(value).__name__}>"


if __name__ == "__main__":
    main()
