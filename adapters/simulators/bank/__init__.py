"""The banks behind social security cards, seen through one front: ISO 20022 over mutual TLS.

Rules: docs/adapters/bank.md. Modelled on what banks do, compatible with none.
"""
