"""Departments: one port, one dialect per kind of department, and the simulators that stand in for them."""
