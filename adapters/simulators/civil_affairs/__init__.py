"""The civil affairs department: a front-end database and the generation-2 REST face.

Wire contract: docs/adapters/civil_affairs.md.
"""
