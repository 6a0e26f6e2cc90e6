"""The version of this package: here and nowhere else, and cheaper to import than the metadata of a distribution."""

__version__ = "0.1.0"
