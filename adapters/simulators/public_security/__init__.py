"""The police population register as a real server: SOAP 1.1, two-step key.

Its interface manual is docs/adapters/public_security.md.
"""
