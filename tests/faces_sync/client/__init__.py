# Derived from tests/faces_async/client/__init__.py by `python -m tools.unasync`; do not edit.
"""Tests of the modules of this name, on both faces."""
