"""Idioms of programs for the published SDK, run on it and on this package: `python -m tools.compat.idioms PYTHON`.

from top to bottom:

__main__   the command: runs the table on both packages, prints equal or different, and records what the published one gives
outcomes   runs a table on one package, in a process of its own, with a home and a scripted model
table      the idioms of a session, and all of them
values     what an idiom is, with the reason if it differs; the idioms about values
worker     evaluates idioms; a script that needs no more than the package it is run with

`published.json` has what the published package gives. The tests compare this package with it.
"""
