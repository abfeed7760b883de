"""Ed25519 public keys that nobody can own.

A point of small order verifies signatures over many messages (RFC 8032 8.4 leaves the refusal to
the protocol), and a coordinate not below the field prime is a second spelling (RFC 8032 5.1.3).
Knows no key format.
"""

from typing import Final

# RFC 8032 5.1: the field prime; the top bit of an encoded point is the sign of x.
_PRIME: Final = 2**255 - 19
_Y_MASK: Final = 2**255 - 1

# The y of a point of order 8 solves d·y⁴ + 2·y² = 1; its negative is the other solution.
ORDER_EIGHT_Y: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# y = 1 has order 1, y = -1 order 2, y = 0 order 4.
_SMALL_ORDER: Final = frozenset({0, 1, _PRIME - 1, ORDER_EIGHT_Y, _PRIME - ORDER_EIGHT_Y})


def is_weak_point(encoded: bytes) -> bool:
    """Return whether 32 bytes name a point of small order or in a second spelling."""
    y = int.from_bytes(encoded, "little") & _Y_MASK
    return y >= _PRIME or y in _SMALL_ORDER
