"""Examines one end of a kind, a simulator or a partner's own, and says what it has to mend.

Knows no kind by name: what it asks follows from the catalog and from a sample that the end's
engineer writes (docs/adapters/conformance.md).
"""

from adapters.conformance.asking import Patience
from adapters.conformance.deviations import Code, Deviation, Explanation, Found, Side, Weight
from adapters.conformance.endpoint import Endpoint, Offered
from adapters.conformance.explained import EXPLAINED
from adapters.conformance.report import TITLES, Case, Conclusion, Report, State, Tried
from adapters.conformance.sample import (
    Fields,
    Role,
    Sample,
    SampleUnreadable,
    parse_sample,
    read_sample,
)
from adapters.conformance.suite import examine
from adapters.conformance.written import write_sample

__all__ = [
    "EXPLAINED",
    "TITLES",
    "Case",
    "Code",
    "Conclusion",
    "Deviation",
    "Endpoint",
    "Explanation",
    "Fields",
    "Found",
    "Offered",
    "Patience",
    "Report",
    "Role",
    "Sample",
    "SampleUnreadable",
    "Side",
    "State",
    "Tried",
    "Weight",
    "examine",
    "parse_sample",
    "read_sample",
    "write_sample",
]
