"""The commerce department as a real server: REST, JSON, signed requests, a published document.

Its interface manual is docs/adapters/commerce.md, its OpenAPI document `openapi.yaml` beside it.
"""
