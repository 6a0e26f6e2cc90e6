"""`python -m tools.figures`: measures the layout of the package and checks it against limits.

source   reads the files and counts their lines
circles  finds import circles
paths    records the files that one `run()` and one approval pass through
table    the figures, with their earlier values and limits
"""
