"""Idioms of programs for the published SDK give here what they give there, or differ for a reason that is stated."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from openai_codex import Codex
from tools.compat.idioms import outcomes
from tools.compat.idioms.__main__ import RECORD
from tools.compat.idioms.table import IDIOMS
from tools.compat.idioms.values import Idiom

ROOT = Path(__file__).parents[2]
PUBLISHED: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return outcomes.outcomes(sys.executable, IDIOMS)


def test_the_record_is_of_this_table() -> None:
    assert list(PUBLISHED) == [idiom.code for idiom in IDIOMS], (
        "record it: python -m tools.compat.idioms PYTHON --record"
    )
    assert len(IDIOMS) >= 60
    assert sum(bool(idiom.reason) for idiom in IDIOMS) <= 15, "most are equal"


def test_the_migration_page_names_what_exists_and_what_was_counted() -> None:
    page = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
    ours = [
        line.rpartition(" | ")[2] for line in page.partition("## Private")[2].splitlines() if line.startswith("| `")
    ]
    named = [name for way in ours for name in re.findall(r"(?<!_)codex\.([a-z_]+)", way)]
    assert named
    assert [name for name in named if not hasattr(Codex, name)] == []
    differ = sum(bool(idiom.reason) for idiom in IDIOMS)
    for text in (page, (ROOT / "README.md").read_text(encoding="utf-8")):
        assert re.search(rf"\b{len(IDIOMS)} idioms", text)
        assert re.search(rf"\b{len(IDIOMS) - differ} are equal", text)


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: f"{idiom.kind}: {idiom.code.splitlines()[-1][-60:]}")
def test_an_idiom_is_equal_or_differs_for_a_reason(idiom: Idiom, ours: dict[str, Any]) -> None:
    published, here = PUBLISHED[idiom.code], ours[idiom.code]
    assert here == (idiom.ours if idiom.reason else published)
    assert (here != published) == bool(idiom.reason), "a reason is for a difference"
