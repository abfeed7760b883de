"""Departments: one port, one dialect per kind, and the simulators that stand in for them."""
