"""The health department's certificates as a real server: SOAP 1.1, base64 XML, signed calls.

Its interface manual is docs/adapters/health.md.
"""
