"""What has to be in a wheel, and what must not: rules for the names in it. Building is not known here."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PACKAGE = "openai_codex"

NEEDED = (
    f"{PACKAGE}/__init__.py",
    f"{PACKAGE}/_pyinstaller/hook-openai_codex.py",
)

DATA = tuple(f"{PACKAGE}/{name}" for name in ("py.typed", "_cli/page.css", "_cli/page.js"))
"""All that is not a module."""

ENTRY_POINTS = ("[console_scripts]", "[pyinstaller40]")


def problems_of(wheel: Path, version: str) -> list[str]:
    """Return what is wrong with a wheel, a sentence each."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = f"{PACKAGE}-{version}.dist-info"
        declared = archive.read(f"{info}/entry_points.txt").decode() if f"{info}/entry_points.txt" in names else ""
    return [
        *problems_of_names(names, info),
        *(f"no entry point {each}" for each in ENTRY_POINTS if each not in declared),
    ]


def problems_of_names(names: Iterable[str], info: str) -> Iterator[str]:
    """Yield what is wrong with the names in a wheel."""
    present = set(names)
    top = {name.partition("/")[0] for name in present}
    if top != {PACKAGE, info}:
        yield f"expected {PACKAGE}/ and {info}/ at its top, got {sorted(top)}"
    yield from (f"{name} is missing" for name in (*NEEDED, *DATA, f"{info}/licenses/LICENSE") if name not in present)
    for name in sorted(present):
        if name.startswith(f"{PACKAGE}/") and not name.endswith(".py") and name not in DATA:
            yield f"{name} is neither a module nor known data"
