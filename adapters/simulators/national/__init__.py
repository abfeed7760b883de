"""A simulated national share platform before a department's simulator.

Wire contract: docs/adapters/national.md.
"""
