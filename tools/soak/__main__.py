"""The command: make model and home, run the soak on them, print the table."""

from __future__ import annotations

import argparse
import random
import sys
from typing import TYPE_CHECKING

from openai_codex.testing import temporary_home
from tools.soak import alarms
from tools.soak.ledger import Ledger
from tools.soak.model import Model
from tools.soak.soak import Soak

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTES = 5.0


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit code: 1 if something did not hold."""
    parser = argparse.ArgumentParser("python -m tools.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long it works (default: %(default)g)")
    by_chance = random.randrange(10**6)  # noqa: S311  no secret
    parser.add_argument("--seed", type=int, default=by_chance, help="of all dice (default: by chance)")
    options = parser.parse_args(arguments)
    print(f"soak of {options.minutes:g} minutes, seed {options.seed}", flush=True)
    ledger = Ledger()
    alarms.listen(ledger)
    with Model() as model, temporary_home(model.url) as home:
        print(Soak(home, model, options.seed, ledger).run(options.minutes * 60))
    return 1 if ledger.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
