"""The page of `trace … timeline --html` in a real browser, and what is in its source."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from openai_codex._cli.page import page
from openai_codex._journal.timeline import load
from openai_codex.testing import offline
from tests.support.browser import Page, opened
from tests.support.cli import ended
from tests.support.journals import HOSTILE, run_exercise, write_turns

# Every row of the chart with the size of it, of its text and of its smallest bar; no row is folded away.
ROWS = """
[...document.querySelectorAll(".row")].map(row => {
  const size = node => node.getBoundingClientRect();
  const bars = [...row.querySelectorAll("rect")].map(bar => size(bar));
  const style = getComputedStyle(row.querySelector(".text"));
  return {text: row.querySelector(".text").innerText, high: size(row).height, wide: size(row.querySelector(".text")).width,
          bars: bars.length, least: Math.min(9, ...bars.map(bar => Math.min(bar.width * 9, bar.height))),
          inside: bars.every(bar => bar.left >= size(row.querySelector("svg")).left - 1 && bar.right <= size(row.querySelector("svg")).right + 1),
          seen: style.visibility === "visible" && row.checkVisibility()};
})
"""


SEARCH = "(s => {{ s.value = {!r}; s.dispatchEvent(new Event('input')) }})(document.getElementById('search'))"


class Source(HTMLParser):
    """The tags of a page, and their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def assert_quiet(shown: Page, path: Path) -> None:
    """Fail if the page has asked for something, or complained."""
    asked = [each["request"]["url"] for each in shown.told("Network.requestWillBeSent")]
    assert asked == [path.as_uri()]
    messages = shown.told(
        "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening"
    )
    assert messages == []


def test_a_turn_is_found_by_the_id_and_the_name_of_its_thread(tmp_path: Path) -> None:
    history = load(write_turns(tmp_path / "run.jsonl", 4).path)
    first, second, *_ = history.threads
    first.name, count = '"Nightly" report', len(second.turns)
    out = tmp_path / "run.html"
    out.write_text(page(history, history.turns), encoding="utf-8")
    with opened(out.as_uri()) as shown:
        shown.value(SEARCH.format('"nightly'))
        assert shown.value("document.getElementById('found').innerText") == f"{len(first.turns)} of 4 turns"
        shown.value(SEARCH.format(second.id.upper()))
        assert shown.value("document.getElementById('found').innerText") == f"{count} of 4 turns"
        assert_quiet(shown, out)


def test_each_row_of_a_busy_run_is_seen_and_nothing_is_asked_for(tmp_path: Path) -> None:
    path, out = tmp_path / "run.jsonl", tmp_path / "run.html"
    with offline() as kit:
        exercise = run_exercise(kit.config, kit.model, path, plain=14)  # 20 turns
    out.touch()
    out.chmod(0o644)  # an earlier one that others may read
    done = ended(None, "trace", str(path), "timeline", "--html", str(out))
    assert (done.code, done.out, done.errors) == (0, "", "")
    assert out.stat().st_mode & 0o777 == 0o600
    history = load(path)
    parts = sum(len(turn.items) + len(turn.asks) for turn in history.turns)
    with opened(out.as_uri()) as shown:
        rows = shown.value(ROWS)
        assert len(rows) == 1 + len(history.runtimes) + 2 * 20 + parts
        assert [
            row for row in rows if not (row["seen"] and row["high"] >= 18 and row["wide"] > 100 and row["inside"])
        ] == []
        axis, *others = rows
        assert axis["bars"] == 0
        assert [row for row in others if row["bars"] == 0 or row["least"] <= 0] == []
        text = shown.value("document.body.innerText")
        told = [
            *exercise.turns.values(),
            "SIGKILL",
            "not <b>like</b> this",
            "by this program (MainThread)",
            "decline",
            "weather",
        ]
        assert [each for each in told if each not in text] == []
        assert_quiet(shown, out)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 300 turns."""
    directory = tmp_path_factory.mktemp("page")
    history = load(write_turns(directory / "run.jsonl", 300).path)
    out = directory / "run.html"
    out.write_text(page(history, history.turns), encoding="utf-8")
    return out


def counted(shown: Page, selector: str) -> int:
    count: Any = shown.value(f"[...document.querySelectorAll({selector!r})].filter(e => e.checkVisibility()).length")
    return int(count)


def click(shown: Page, action: str) -> None:
    shown.value(f"document.querySelector('[data-do={action}]').click()")


def test_a_page_of_300_turns_is_folded_searched_zoomed_and_printed(made: Path) -> None:
    with opened(made.as_uri()) as shown:
        assert (counted(shown, ".thread > summary"), counted(shown, ".turn")) == (300, 0)
        click(shown, "open")
        assert (counted(shown, ".turn > summary"), counted(shown, ".part")) == (300, 700)
        assert [row for row in shown.value(ROWS) if not (row["seen"] and row["high"] >= 18)] == []
        click(shown, "close")
        shown.value(SEARCH.format("FAILED turn-c1-13"))
        assert (counted(shown, ".thread > summary"), counted(shown, ".turn > summary")) == (3, 3)  # 13, 132 and 139
        assert shown.value("document.getElementById('found').innerText") == "3 of 300 turns"
        shown.value(SEARCH.format(""))
        assert counted(shown, ".thread > summary") == 300
        before = shown.value("document.querySelector('.lane').getBoundingClientRect().width")
        click(shown, "nearer")
        assert shown.value("document.querySelector('.lane').getBoundingClientRect().width") > 1.8 * before
        click(shown, "all")
        assert shown.value("document.querySelector('.lane').getBoundingClientRect().width") == before
        spot = shown.value(
            "(b => ({x: b.x + 1, y: b.y + 1}))(document.querySelector('.row rect.failed').getBoundingClientRect())"
        )
        shown.ask("Input.dispatchMouseEvent", type="mouseMoved", **spot)
        assert shown.value("document.getElementById('hint').innerText").startswith("failed turn turn-c1-6\n")
        click(shown, "close")
        shown.ask("Page.printToPDF")
        assert counted(shown, ".part") == 0  # unfolded for the printer only
        shown.value("dispatchEvent(new Event('beforeprint'))")
        assert counted(shown, ".part") == 700
        assert_quiet(shown, made)


@pytest.mark.parametrize("width", [420, 1000, 2600])
def test_the_page_fits_windows_of_any_width(made: Path, width: int) -> None:
    with opened(made.as_uri(), width=width) as shown:
        assert shown.value("document.documentElement.scrollWidth") <= width
        chart = "(c => c.scrollWidth - c.clientWidth)(document.querySelector('.chart'))"
        assert shown.value(chart) <= 0
        click(shown, "nearer")
        assert shown.value(chart) > 0
        assert shown.value("document.documentElement.scrollWidth") <= width  # only the chart scrolls


def test_the_source_has_no_address_and_no_markup_of_others(made: Path) -> None:
    source = made.read_text(encoding="utf-8")
    tags = Source(source).tags
    names = {tag for tag, _ in tags}
    assert (
        names & {"link", "img", "iframe", "object", "embed", "base", "a", "form", "audio", "video", "use", "image"}
        == set()
    )
    assert [tag for tag, _ in tags].count("script") == 1
    attributes = {name for _, found in tags for name in found}
    assert attributes & {"src", "href", "xlink:href", "srcset", "action", "style", "background"} == set()
    assert [name for name in attributes if name.startswith("on")] == []
    [policy] = [found["content"] for _, found in tags if found.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    style, script = (re.findall(rf"<{name}>(.*?)</{name}>", source, re.DOTALL)[0] for name in ("style", "script"))
    assert re.findall(r"url\(|@import|https?:|fetch|XMLHttp|eval|innerHTML", style + script) == []
    assert "\x1b" not in source
    assert "\u2028" not in source
    assert HOSTILE.partition(" ")[0] not in source.replace("</script>\n</body>", "")


@pytest.mark.parametrize("name", ["run.jsonl", "run.log"])
def test_a_journal_is_not_overwritten(tmp_path: Path, name: str) -> None:
    path = write_turns(tmp_path / name, 2).path
    before = path.read_bytes()
    for option in ("--html", "--chrome"):
        done = ended(None, "trace", str(path), "timeline", option, str(path))
        assert (done.code, done.errors.count("\n")) == (1, 1)
        assert "is a journal, or named as one" in done.errors
    assert path.read_bytes() == before


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    path = write_turns(tmp_path / "run.jsonl", 2).path
    for option in ("--html", "--chrome"):
        done = ended(None, "trace", str(path), "timeline", option, str(tmp_path / "none" / "out"))
        assert (done.code, done.out, done.errors.count("\n")) == (1, "", 1)
        assert "cannot be written: No such file or directory" in done.errors
