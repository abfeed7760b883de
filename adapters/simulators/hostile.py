"""Documents that attack whoever reads them: a document type, and where its entity is used."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """One attack by entities."""

    entities: str
    """Declarations for an internal document type."""
    reference: str
    """What stands in place of a text."""

    def document(self, root: str, text: str) -> str:
        """Declare the entities before a document whose root element has this name."""
        return f"<!DOCTYPE {root} [{self.entities}]>{text}"


ENTITY_BOMB: Final = Hostile(
    entities="".join(
        f'<!ENTITY e{level} "{f"&e{level - 1};" * 10 if level else "lol" * 10}">'
        for level in range(10)
    ),
    reference="&e9;",
)
"""Ten levels, each ten times the one below: 30 GB when it is expanded."""
EXTERNAL_ENTITY: Final = Hostile(
    entities='<!ENTITY f SYSTEM "file:///etc/hostname"><!ENTITY h SYSTEM "http://127.0.0.1:9/x">',
    reference="&f;&h;",
)
