"""A provider node: a department's adapter at its own side, with its own key and its own judgement.

`config` says what it is, `judging` whether a query may be asked, `serving` asks and signs, `server`
is its gRPC face, `building` strings them together (docs/adapters/provider-node.md).
"""
