"""A face for systems that know generation 1 of the national platform only.

Their calls walk the path of everybody's (docs/adapters/national.md, section 10): what was read of a
call is signed with the key registered for its system, and what follows cannot tell the difference,
but for `origin_auth` in each entry.
"""

from gateway.legacy.exchange import LegacyExchange
from gateway.legacy.face import LegacyFace
from gateway.legacy.services import load_legacy

__all__ = ["LegacyExchange", "LegacyFace", "load_legacy"]
