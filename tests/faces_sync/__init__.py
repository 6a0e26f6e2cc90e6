# Derived from tests/faces_async/__init__.py by `python -m tools.unasync`; do not edit.
"""Tests of the faces on the real runtime. The async ones are written, the sync ones are derived from them."""
