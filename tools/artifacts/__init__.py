"""Checks what is shipped: the wheel, the sdist, an installation of it on each Python, and a frozen program.

Run it with `make artifacts`, or `python -m tools.artifacts PART…`.
"""
