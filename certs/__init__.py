"""Whom to trust: algorithms, certificates, revocation, trust store, registered systems.

Knows no transport, no message of the exchange and no wall clock: each question names its time.
"""
