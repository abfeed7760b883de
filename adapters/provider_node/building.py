"""Builds the adapter of a department's node from its section of the configuration."""

from adapters.errors import AdapterMisconfigured
from adapters.kind import Means
from adapters.port import PROVIDER_SLUG
from adapters.provider_node.adapter import RemoteAdapter, Served
from adapters.provider_node.channel import NodeChannel
from adapters.settings import NodeAddress
from certs.registry_file import KeyPurpose

_NEEDED = (KeyPurpose.TLS, KeyPurpose.ENVELOPE, KeyPurpose.RECORD)


def build_remote(address: NodeAddress, served: Served, means: Means) -> RemoteAdapter:
    """Build the adapter of one node.

    Raises:
        AdapterMisconfigured: the trust store does not say whom to believe for it.
        what `NodeLink.load_tls` does.
    """
    link = means.link
    if link is None:
        raise AdapterMisconfigured("node: a provider node asks no other node")
    node = f"{served.organisation}/{PROVIDER_SLUG}"
    system = link.snapshot().registry.system(node)
    # Found at start and not with the first question: nobody could be believed to be the node.
    for usage in _NEEDED:
        if system is None or not system.keys_for(usage):
            raise AdapterMisconfigured(f"node: {node} has no {usage} key in the trust store")
    return RemoteAdapter(
        served=served,
        link=link,
        channel=NodeChannel(address, link),
        now_ms=means.now_ms,
    )
