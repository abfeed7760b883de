"""The education department as a real server: REST, JSON, private_key_jwt.

Its interface manual is docs/adapters/education.md.
"""
