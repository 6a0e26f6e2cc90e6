"""`python -m tools.bench`: this package, the published one and a bare loop, measured in turn; see the README beside it.

workloads   what is measured, in what sizes, and the goals: one table
subjects    who is measured: an interpreter for each, the published package in an environment of its own
runner      runs one program in a fresh process, within a deadline
rounds      runs all of them, in turn, with a scripted model for the real runtime
table       medians, ratios, goals, as Markdown
machine     where it was measured
stages      what each stage of a delta costs, for work on it: `python -m tools.bench.stages`
programs/   what is run
"""
