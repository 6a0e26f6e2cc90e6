"""The version of this package: here and nowhere else, and cheaper to import than the metadata of a distribution.

It is that of the runtime which the package pins, with ``.postN`` for further releases for the same runtime.
"""

__version__ = "0.163.0"

OLDEST_TESTED = "0.133.0"
"""The oldest runtime that `make test-runtimes` runs. Newer ones than the pinned one are expected to work, too."""
