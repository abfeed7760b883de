"""Effects: pure functions from a raw value to what may leave (decisions.md, "Where effects …").

Knows no department, no network and no signature: a raw value, the catalog type of its field and
one granted effect go in, a disclosure comes out. `apply_effect` is the only door.
INVARIANT: an effect that cannot be applied withholds; nothing ever falls back to the clear value.
INVARIANT: what comes out is a function of the coarse value alone, so that two values that are equal
under an effect give equal bytes.
"""

from adapters.effects.apply import Disclosure, FieldContext, apply_effect, apply_when_not_found

__all__ = ["Disclosure", "FieldContext", "apply_effect", "apply_when_not_found"]
