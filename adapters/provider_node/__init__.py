"""Asks a department at the provider node that it runs itself (docs/adapters/provider-node.md)."""

from adapters.provider_node.adapter import RemoteAdapter, Served
from adapters.provider_node.building import build_remote

__all__ = ["RemoteAdapter", "Served", "build_remote"]
