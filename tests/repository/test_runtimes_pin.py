"""The move to another runtime: where the pin is, and what is told about the protocol."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

from openai_codex._protocol.methods import RUNTIME_VERSION
from tools.generate import vendored
from tools.runtimes import pin
from tools.runtimes.difference import difference


def test_every_place_that_names_the_pinned_runtime_is_changed_and_back(tmp_path: Path) -> None:
    for name in pin.PLACES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pin.ROOT / name, tmp_path / name)
    for version in ("0.160.1", "1.0.0rc1", RUNTIME_VERSION):
        for path, text in pin.repinned(tmp_path, version).items():
            before, after = path.read_text(), pin.PLACES[path.relative_to(tmp_path).as_posix()].format(version)
            assert after in text
            assert len(text.splitlines()) == len(before.splitlines())
            path.write_text(text)
    for name in pin.PLACES:
        assert (tmp_path / name).read_text() == (pin.ROOT / name).read_text()


def test_a_place_without_the_version_is_named_before_anything_is_changed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("nothing")
    with pytest.raises(LookupError, match=r"pyproject.toml: expected one .*found 0"):
        pin.repinned(tmp_path, "0.160.1")


@pytest.mark.parametrize("arguments", [[], ["latest"], ["0.160.1", "x"]])
def test_the_command_takes_one_version(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert pin.main(arguments) == 2
    assert "usage" in capsys.readouterr().err


def test_the_difference_names_methods_types_fields_and_values() -> None:
    old = vendored.read()
    new: dict[str, Any] = copy.deepcopy(old)
    new["about"]["runtime"] = "9.9.9"
    definitions = new["definitions"]
    thread, turn = definitions["Thread"], definitions["Turn"]
    thread["properties"]["brandNew"] = {"type": ["string", "null"], "description": "New."}
    thread["required"].remove("preview")
    del turn["properties"]["durationMs"]
    definitions["SandboxMode"]["enum"].append("brand-new")
    definitions["BrandNew"] = {"type": "object", "properties": {"x": {"type": "string"}}}
    definitions["Turn"]["description"] = "Other words."
    line = {"properties": {"method": {"enum": ["brand/new"]}, "params": {"$ref": "#/definitions/TurnStartParams"}}}
    definitions["ClientRequest"]["oneOf"].append(line)
    head, *lines = difference(old, new)
    assert head == f"protocol of {RUNTIME_VERSION} -> 9.9.9: 6 changes"
    assert lines == [
        "+ request brand/new: TurnStartParams",
        "+ field Thread.brandNew: string or null, optional",
        "~ field Thread.preview: string -> string, optional",
        "- field Turn.durationMs",
        "+ type BrandNew: object",
        "+ value SandboxMode.brand-new: value",
    ]
    assert len(difference(old, old)) == 1
