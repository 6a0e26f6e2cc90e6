"""The version of this package: here and nowhere else, and cheaper to import than the metadata of a distribution.

It is that of the runtime which the package pins, with ``.postN`` for further releases for the same runtime.
"""

__version__ = "0.163.0"
