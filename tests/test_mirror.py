"""Test modules are named after the modules that they test, so that the tests of a module are found by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "openai_codex"

# Which package a directory of tests mirrors, where it is not that of the same name with an underscore in front.
PACKAGES = {".": ".", "faces": "_async", "faces_async": "_async", "testing": "testing", "generated": "generated"}

# Tests of more than one module.
WHOLE = {"arguments", "help", "layers", "mirror", "public", "surface"}

# Derived from `faces_async`; about what is generated; about what is not in the package.
OTHERS = {"faces_sync", "protocol", "repository", "support"}

FILES = [path for path in sorted(TESTS.rglob("test_*.py")) if path.relative_to(TESTS).parts[0] not in OTHERS]


def names_for(path: Path) -> set[str]:
    """Return the names of the modules and packages that the tests in a file may be about."""
    directory, *below = path.relative_to(TESTS).parent.parts or (".",)
    package = PACKAGE / PACKAGES.get(directory, f"_{directory}") / Path(*below)
    found = package.glob("*.py") if directory == "." else package.rglob("*")
    return {each.stem.strip("_") for each in found} - {"init", "pycache"} | WHOLE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_a_test_module_is_named_after_a_module(path: Path) -> None:
    about = path.stem.removeprefix("test_")
    names = names_for(path)
    assert any(about == name or about.startswith(f"{name}_") for name in names), sorted(names)
