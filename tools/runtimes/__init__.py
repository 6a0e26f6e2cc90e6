"""Runs one list of steps on several runtimes, and moves the pin to another one.

    python -m tools.runtimes                  the steps on the runtimes in `table`: `make test-runtimes`
    python -m tools.runtimes 0.153.4          the steps on other ones
    python -m tools.runtimes.pin 0.164.0      re-pin, regenerate, show the difference: `make runtime VERSION=0.164.0`

`table` names the versions and what each of them cannot do; `install` gets a runtime from the package index, by pip, into a
directory of its own; `steps` defines what a step is, and `turns`, `threads` and `clients` have the steps.
"""
