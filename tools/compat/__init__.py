"""Runs packages of the index on this SDK and on the published one, and compares what they give: `make compat`.

from top to bottom:

__main__      the command: environments, runs, the table, the exit code
packages      the table of packages: what is installed, and which program drives it
report        the table that is printed
tally         how many of the lines that public programs contain run here
runner        runs one program in a fresh process, home and scripted model, and returns its record
scripts       what the model answers to which prompt
comparison    two records, without what differs from run to run, and the differences that are left
reasons       the differences that are intended, each with its reason
idioms/       single idioms, on the published SDK and on ours; a command of its own
environments  the two environments: the published SDK and ours, each with all packages
programs/     one small program per package, and one of single lines, run in those environments; `cases` writes their records

The command installs packages and takes minutes, so it is no part of the tests; those check the comparison, and run the
lines on this package. The published package is only run, never read.
"""
