"""Every Python snippet of the README runs as it stands, on the real runtime with the scripted model behind it."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from openai_codex.testing import QuietHome, ScriptedModel, call, reply

README = Path(__file__).parents[2] / "README.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs(
    number: int,
    codex_home: QuietHome,
    scripted_model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in codex_home.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(codex_home.workspace)
    scripted_model.when("Is this code fine?", '{"fine": true, "reasons": []}')
    asks = reply(call("get_weather", {"city": "Oslo"}))
    scripted_model.when("Do I need an umbrella in Oslo?", asks, lambda request: str(request.function_outputs))
    snippet = codex_home.path / "snippet.py"
    snippet.write_text(SNIPPETS[number])
    runpy.run_path(str(snippet), run_name="__main__")
    assert ("umbrella" in SNIPPETS[number]) == ("Oslo: sun for 1 days" in capsys.readouterr().out)


def test_there_are_snippets() -> None:
    assert len(SNIPPETS) == 10
