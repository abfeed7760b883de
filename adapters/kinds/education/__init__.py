"""Diplomas, degrees and enrolment over REST with OAuth 2.0 (docs/adapters/education.md)."""

from adapters.kinds.education.adapter import DATASETS, EducationAdapter
from adapters.kinds.education.kind import KIND
from adapters.kinds.education.token import ClientIdentity

__all__ = ["DATASETS", "KIND", "ClientIdentity", "EducationAdapter"]
