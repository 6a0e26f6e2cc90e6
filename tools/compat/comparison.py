"""Compares two records: first without what differs from run to run, then without what is intended to differ."""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import attrs

VOLATILE = re.compile(
    r"(duration|time|timestamp|elapsed|(created|updated|started|completed|emitted)_?at|process_?id)(_?ms)?",
    re.IGNORECASE,
)
"""Keys whose values are times or numbers of processes."""

UNIQUE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # threads, turns
    r"|\b(?:msg|rs|call|resp|fc|exec)[-_][0-9A-Za-z_-]+"  # items
    r"|dataframeit-codex-\w+"  # a directory
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+"  # moments
)
"""Names that are new in each run. The same name is still the same after `normalized`."""

ABSENT = "<absent>"
"""Stands for a member that only the other record has."""


@attrs.frozen
class Difference:
    """One value that differs.

    Attributes:
        path: Where it is: ``case.key[index]``.
        published: The value of the published SDK, or `ABSENT`.
        ours: Our value, or `ABSENT`.
    """

    path: str
    published: Any
    ours: Any

    @property
    def case(self) -> str:
        """The name of the case."""
        return re.split(r"[.[]", self.path, maxsplit=1)[0]

    def __str__(self) -> str:
        return f"{self.path}: {_short(self.published)} -> {_short(self.ours)}"


@attrs.frozen
class Reason:
    """Why a text differs, as the change that turns the published value into ours, so that no other change hides there.

    Attributes:
        why: The reason, for people.
        published: A regular expression for the part that differs in the published value.
        ours: What our value has in its place; groups of the expression are written as in `re.sub`.
        where: A pattern, as for files, of ``program.case``.
    """

    why: str
    published: str
    ours: str
    where: str = "*"


@attrs.frozen
class Lacking:
    """Why a case, or a part of it, fails here, while it does not there.

    Attributes:
        why: The reason, for people.
        error: A regular expression for our error.
        where: A pattern, as for files, of ``program.case``.
    """

    why: str
    error: str
    where: str = "*"


Stated = Reason | Lacking


def normalized(value: Any) -> Any:
    """Return a record's case without what differs from run to run."""
    known: dict[str, str] = {}
    return _walk(
        value, lambda text: UNIQUE.sub(lambda found: known.setdefault(found[0], f"<id {len(known) + 1}>"), text)
    )


def _walk(value: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {
            rename(key): "<varies>" if each is not None and VOLATILE.fullmatch(key) else _walk(each, rename)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_walk(each, rename) for each in value]
    return rename(value) if isinstance(value, str) else value


def differences(published: Any, ours: Any, path: str = "") -> Iterator[Difference]:
    """Yield what differs in two values, as far down as they have the same form."""
    if _outcomes(published, ours):
        yield Difference(path, published, ours)
    elif isinstance(published, dict) and isinstance(ours, dict):
        for key in [*published, *(each for each in ours if each not in published)]:
            yield from differences(published.get(key, ABSENT), ours.get(key, ABSENT), f"{path}.{key}".lstrip("."))
    elif isinstance(published, list) and isinstance(ours, list) and len(published) == len(ours):
        for index, (one, other) in enumerate(zip(published, ours, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif published != ours:
        yield Difference(path, published, ours)


def _outcomes(published: Any, ours: Any) -> bool:
    """Return whether these are a value on one side and an error on the other."""
    kinds = [tuple(each) for each in (published, ours) if isinstance(each, dict)]
    return sorted(kinds) == [("error",), ("value",)]


@attrs.frozen
class Compared:
    """The comparison of one case.

    Attributes:
        differences: What differs.
        failed: The error, if the case raised one on both: a comparison of nothing.
    """

    differences: Sequence[Difference]
    failed: str = ""


def compared(published: dict[str, Any], ours: dict[str, Any]) -> dict[str, Compared]:
    """Return the comparison of each case of a program."""
    return {
        case: _compared(case, published.get(case, {}), ours.get(case, {}))
        for case in [*published, *(each for each in ours if each not in published)]
    }


def _compared(case: str, published: dict[str, Any], ours: dict[str, Any]) -> Compared:
    found = list(differences(normalized(published), normalized(ours), case))
    failed = "error" in published and "error" in ours
    return Compared(found, "; ".join(ours["error"]) if failed else "")


def explained(program: str, difference: Difference, reasons: Sequence[Stated]) -> list[Stated]:
    """Return the reasons that together make our value of the published one; none if they do not."""
    here = [reason for reason in reasons if fnmatch.fnmatchcase(f"{program}.{difference.case}", reason.where)]
    if isinstance(difference.published, str):
        return _rewritten(difference.published, difference.ours, here)
    error = difference.ours.get("error") if isinstance(difference.ours, dict) else None
    found = (reason for reason in here if isinstance(reason, Lacking) and re.search(reason.error, str(error)))
    return list(itertools.islice(found, 1)) if error else []


def _rewritten(text: str, ours: Any, reasons: Iterable[Stated]) -> list[Stated]:
    used = list[Stated]()
    for reason in reasons:
        changed = re.sub(reason.published, reason.ours, text) if isinstance(reason, Reason) else text
        if changed != text:
            text = changed
            used.append(reason)
    return used if text == ours else []


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}…"  # noqa: PLR2004  as long as is printed
