"""The tax department as a real server: packages dropped by SFTP, results fetched later.

Its interface manual is docs/adapters/tax.md. Files live in memory only.
"""
