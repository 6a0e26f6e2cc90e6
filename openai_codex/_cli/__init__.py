"""The command line `openai-codex`, a program that uses the package. No other module of the package imports it.

main        parses the arguments, runs the command, turns errors into exit codes; the table of commands
trace       the command `trace`: what a journal tells
page        a journal as a page for a browser; page.css and page.js are parts of it
lanes       the SVG of the page
bars        a journal as rows of text with bars
chrome      a journal for Perfetto
run         the command `run`: one turn, shown while it runs
questions   approvals: asks on the terminal, or declines
displays    how a turn is shown: as plain text, or as lines of JSON
live        how a turn is shown on a terminal, with the library rich
items       the lines of text that say what an event means
doctor      the command `doctor`: the table of checks, the report
connected   checks that need a running runtime
installed   checks of what is installed
findings    what a check returns, and what it gets
options     options of several commands, and their types
output      writing to streams that may be a terminal, or closed
"""
