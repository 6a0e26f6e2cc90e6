"""The command: create model and home, run the soak test on them, print the report."""

from __future__ import annotations

import argparse
import random
import sys
from typing import TYPE_CHECKING

from openai_codex.testing import temporary_home
from tools.soak.journal import Journal, listen
from tools.soak.model import Model
from tools.soak.soak import Soak

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTES = 5.0


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit code: 1 if there was a violation."""
    parser = argparse.ArgumentParser("python -m tools.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="duration in minutes (default: %(default)g)")
    random_seed = random.randrange(10**6)  # noqa: S311  not for cryptography
    parser.add_argument("--seed", type=int, default=random_seed, help="seed of all random choices (default: random)")
    options = parser.parse_args(arguments)
    print(f"soak of {options.minutes:g} minutes, seed {options.seed}", flush=True)
    journal = Journal()
    listen(journal)
    with Model() as model, temporary_home(model.url) as home:
        print(Soak(home, model, options.seed, journal).run(options.minutes * 60))
    return 1 if journal.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
