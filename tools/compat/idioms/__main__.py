"""The command: run the table on both packages and print each idiom as equal, or as different with the reason."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.compat.idioms.outcomes import outcomes
from tools.compat.idioms.table import IDIOMS
from tools.compat.runner import end_on_sigterm

if TYPE_CHECKING:
    from collections.abc import Sequence

RECORD = Path(__file__).with_name("published.json")
PUBLISHED = "openai-codex==0.163.0"


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 1 if something differs without a reason, or a reason is no longer needed."""
    parser = argparse.ArgumentParser("python -m tools.compat.idioms", description=__doc__)
    parser.add_argument("python", help="the interpreter of an environment with the published package")
    parser.add_argument("--create", action="store_true", help="create this environment first: PYTHON is its directory")
    parser.add_argument(
        "--record", action="store_true", help=f"write what the published package gives to {RECORD.name}"
    )
    options = parser.parse_args(arguments)
    published = outcomes(_created(options.python) if options.create else options.python, IDIOMS)
    if options.record:
        RECORD.write_text(json.dumps(published, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    ours, equal, wrong = outcomes(sys.executable, IDIOMS), 0, 0
    for idiom in IDIOMS:
        there, here = published[idiom.code], ours[idiom.code]
        equal += there == here
        wrong += (there == here) == bool(idiom.reason)
        print("\n".join(_lines(idiom.kind, idiom.code, there, here, idiom.reason)))
    print(f"{equal} of {len(IDIOMS)} idioms are equal, {len(IDIOMS) - equal} differ, {wrong} of all untold")
    return int(wrong > 0)


def _lines(kind: str, code: str, there: Any, here: Any, reason: str) -> list[str]:
    first = f"{kind:13} {'equal' if there == here else 'different':10}{code.splitlines()[0]}"
    told = [f"    published: {there!r}", f"    ours:      {here!r}", f"    {reason or 'NO REASON'}"]
    return [first, *([] if there == here and not reason else told)]


def _created(folder: str) -> str:
    """Create an environment with the published package and return its interpreter."""
    python = str(Path(folder).absolute() / "bin" / "python")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", PUBLISHED], check=True)
    return python


if __name__ == "__main__":
    end_on_sigterm()
    sys.exit(main(sys.argv[1:]))
