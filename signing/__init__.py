"""Bytes in, proof out: envelopes, records and assertions.

Knows no matter, no agreement, no transport, no wall clock and no environment: time, keys and
expectations come in by parameter, and trust is a type that only a verifier makes.
"""
