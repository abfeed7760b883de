"""Departments as real servers over one synthetic population, with faults one can switch on.

Imports nothing of ours outside this package: a simulator that shared code with the client
adapters would share its mistakes. Every identifier is synthetic. Each server binds to loopback
and refuses other peers.
"""
