"""Programs that drive one package each. They run in the environments of `tools.compat`, where its modules are not.

Each imports its package by name at run time, so that type checkers do not need it.
"""
