"""Synthetic portraits: a few hundred octets that begin like a JPEG and differ for each person."""

from base64 import b64encode
from typing import Final

from adapters.simulators.population.draw import Draws
from adapters.simulators.population.person import Person

# Start of image and a JFIF header (ITU-T T.871), then a comment segment that carries the octets.
_HEADER: Final = bytes.fromhex("ffd8ffe000104a46494600010100000100010000fffe0102")
_END: Final = bytes.fromhex("ffd9")


def photo_of(person: Person) -> bytes:
    """Draw the portrait the police hold of a person."""
    return _draw(person.draws, "police")


def school_photo_of(person: Person) -> str:
    """Draw the portrait on a diploma, base64."""
    return b64encode(_draw(person.draws, "school")).decode()


def _draw(draws: Draws, purpose: str) -> bytes:
    body = b"".join(draws.octets(f"photo/{purpose}/{part}", 64) for part in range(4))
    return _HEADER + body + _END
