"""Civil affairs: a live check of marriages, and a copied front-end database (docs/adapters)."""

from adapters.kinds.civil_affairs.adapter import DATASETS, CivilAffairsAdapter
from adapters.kinds.civil_affairs.kind import KIND

__all__ = ["DATASETS", "KIND", "CivilAffairsAdapter"]
