"""Statements: the meaning of signed payloads, read strictly, and the bodies that answer them.

The only place below `gateway.rpc` that knows the generated wire types (decisions.md, import
contracts).
"""
