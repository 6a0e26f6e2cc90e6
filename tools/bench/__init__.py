"""`python -m tools.bench`: measures this package, the published one and two floors; see the README beside this file.

workloads   the measurements, their sizes and goals: one table
rows        what it consists of
subjects    the interpreter of each package, the published one in its own environment; a description of the machine
runner      runs one program in a fresh process, within a deadline
rounds      runs all programs alternately, with a scripted model for the real runtime
table       medians, ratios and goals, as Markdown
stages      the cost of each stage of a delta: `python -m tools.bench.stages`
hops        where a request and a delta spend steps and CPU time: `python -m tools.bench.hops`
probes      how that is measured
observed    what it costs to observe a client: `python -m tools.bench.observed`
programs/   the measured programs
"""
