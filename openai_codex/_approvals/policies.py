"""Handlers of approvals that decide by rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from openai_codex import _checks as checks
from openai_codex._approvals.commands import words_of
from openai_codex._approvals.decisions import ApprovalDecision
from openai_codex._approvals.requests import ApprovalRequest, CommandApproval, LegacyCommandApproval
from openai_codex._codec.deferred import frozen
from openai_codex.errors import ConfigError

_REST = "*"


@frozen
class AllowList:
    """A handler of approvals, made by `allow`.

    Attributes:
        rules: The commands, each as its words; the last word ``*`` stands for any further words.
        otherwise: Decides on everything else; ``None`` declines it.
    """

    rules: tuple[tuple[str, ...], ...]
    otherwise: Callable[[ApprovalRequest], Any] | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(checks.validator(checks.function, "one argument, the request", None)),
    )

    def __call__(self, request: ApprovalRequest) -> Any:
        """Accept a command that a rule names."""
        if self.allows(request):
            return ApprovalDecision.accept()
        return ApprovalDecision.decline() if self.otherwise is None else self.otherwise(request)

    def allows(self, request: ApprovalRequest) -> bool:
        """Return whether a rule names the command of a request."""
        # Access to a host is another question, which names the command only as its reason.
        if not isinstance(request, (CommandApproval, LegacyCommandApproval)) or _is_about_host(request):
            return False
        argv = request.argv
        return argv is not None and any(_matches(rule, argv) for rule in self.rules)


def allow(
    commands: Sequence[str | Sequence[str]], *, otherwise: Callable[[ApprovalRequest], Any] | None = None
) -> AllowList:
    """Make a handler for ``on_approval=`` that accepts the named commands, and declines all other requests.

        Codex(on_approval=allow(["git status", "git log --oneline", "pytest -q"]))

    A command is compared word by word, as `CommandApproval.argv` has it: a command with an operator, a redirection, a
    substitution, a variable or a pattern of the shell is not accepted, whatever it begins with. ``*`` as the last word
    stands for any further words, so name enough words before it: ``find *`` also accepts ``find . -delete``. The
    decision is made by the text alone. Which program ``git`` is depends on the ``PATH`` of the runtime.

    Args:
        commands: The commands, each as a text or as a list of words.
        otherwise: A handler for everything else; ``None`` declines it.

    Returns:
        The handler.

    Raises:
        ConfigError: A command is blank, or cannot be read as plain words, or ``otherwise`` is not a function of one
            argument.
    """
    accepted = "a sequence of commands, each a str or a list of str"
    return AllowList(tuple(checks.each("commands", commands, _rule, accepted)), otherwise)


def _rule(name: str, command: str | Sequence[str]) -> tuple[str, ...]:
    if not isinstance(command, str):
        given = checks.each(name, command, checks.text, "a str or a list of str")
        words: tuple[str, ...] | None = tuple(given)
    elif command.endswith(f" {_REST}"):
        start = words_of(command[: -len(_REST)])
        words = None if start is None else (*start, _REST)
    else:
        words = words_of(command)
        if words and words[-1] == _REST:  # in quotes: it is not meant as any words, and has no other spelling here
            words = None
    if not words or words[0] == _REST:
        raise ConfigError(
            name, f"expected a command of plain words, without anything that a shell interprets: {command!r}"
        )
    return words


def _matches(rule: tuple[str, ...], argv: tuple[str, ...]) -> bool:
    if rule[-1] == _REST:
        return argv[: len(rule) - 1] == rule[:-1]
    return argv == rule


def _is_about_host(request: CommandApproval | LegacyCommandApproval) -> bool:
    return getattr(request, "network_approval_context", None) is not None
