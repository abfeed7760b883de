"""Identifiers of persons, organisations and certificates: one spelling, and what is wrong with one.

Knows no department. `examine_` reports and never raises; what a problem does stands in
`problems.POLICY` and nowhere else. `parse_` is for what departments answer: it raises where the
policy refuses. docs/identifiers.md lists every kind with its rule and source.
INVARIANT: no report, error or text of this package repeats an identifier.
"""

from adapters.mapping.identifiers.bank import examine_account_number, examine_cnaps
from adapters.mapping.identifiers.certificates import (
    examine_license_id,
    examine_marriage_number,
    examine_service_item,
)
from adapters.mapping.identifiers.education import (
    examine_degree_number,
    examine_diploma_number,
    parse_degree_number,
    parse_diploma_number,
    split_degree_number,
    split_diploma_number,
)
from adapters.mapping.identifiers.kinds import KINDS, IdentifierKind, examine, kind_of_field
from adapters.mapping.identifiers.organisation import (
    OrganisationCode,
    examine_organisation_code,
    examine_tax_id,
    examine_uscc,
    parse_uscc,
)
from adapters.mapping.identifiers.problems import MEANINGS, POLICY, Examined, Problem, Severity
from adapters.mapping.identifiers.resident import (
    MAX_AGE_YEARS,
    examine_resident_id,
    find_birth_date,
    parse_resident_id,
    widen_resident_id,
)
from adapters.mapping.identifiers.social import examine_social_card, examine_voucher

__all__ = [
    "KINDS",
    "MAX_AGE_YEARS",
    "MEANINGS",
    "POLICY",
    "Examined",
    "IdentifierKind",
    "OrganisationCode",
    "Problem",
    "Severity",
    "examine",
    "examine_account_number",
    "examine_cnaps",
    "examine_degree_number",
    "examine_diploma_number",
    "examine_license_id",
    "examine_marriage_number",
    "examine_organisation_code",
    "examine_resident_id",
    "examine_service_item",
    "examine_social_card",
    "examine_tax_id",
    "examine_uscc",
    "examine_voucher",
    "find_birth_date",
    "kind_of_field",
    "parse_degree_number",
    "parse_diploma_number",
    "parse_resident_id",
    "parse_uscc",
    "split_degree_number",
    "split_diploma_number",
    "widen_resident_id",
]
