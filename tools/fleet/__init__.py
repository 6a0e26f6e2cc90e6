"""`python -m tools.fleet`: kills what carries out jobs, at random, and checks that none is lost and no prompt sent twice.

program    the pool, as a process of its own
victims    the processes below it
"""
