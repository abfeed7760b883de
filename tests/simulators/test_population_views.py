"""The views hold every field the catalog names for their datasets."""

from dataclasses import fields

import pytest

from adapters.simulators.population import (
    civil_affairs,
    commerce,
    education,
    health,
    hrss,
    incomes,
    payments,
    public_security,
    tax_contributions,
    taxpayers,
)

CATALOG = {
    education.Diploma: "person_id full_name certificate_no institution_code institution_name "
    "major_name education_level education_type study_mode enrol_date graduation_date conclusion "
    "photo verified",
    education.Degree: "certificate_no degree_level discipline granting_unit grant_date revoked "
    "verified",
    education.Enrolment: "school_name student_status expected_graduation is_enrolled",
    public_security.PersonVerify: "id_match name_match deceased",
    public_security.PersonCore: "full_name former_name sex ethnicity birth_date "
    "registered_address registered_division person_state photo",
    public_security.HouseholdRecord: "household_no head_name relation_to_head member_count "
    "same_household kinship_ok",
    public_security.DeathCancel: "cancel_date cancel_reason death_date is_cancelled",
    public_security.PhotoCompare: "same_person score_band",
    health.DeathCertificate: "death_date cause has_record",
    civil_affairs.MarriageVerify: "registration_found is_couple current_status",
    civil_affairs.MarriageRecord: "certificate_no op_type op_date spouse_name spouse_id "
    "office_code ethnicity_pair",
    civil_affairs.Cremation: "death_time cremation_time facility home_address is_cremated",
    civil_affairs.Assistance: "category valid_from valid_to monthly_amount is_recipient",
    civil_affairs.AdoptionChild: "child_status adoption_no is_dependent_child",
    commerce.EnterpriseRecord: "uscc name entity_type legal_representative legal_rep_id reg_state "
    "establish_date valid_to registered_capital address business_scope reg_authority shareholders",
    commerce.EnterpriseVerify: "all_match mismatched_keys true_values",
    commerce.Positions: "has_active_entity entity_list",
    hrss.Participation: "insured_kinds state employer_uscc first_date agency_division is_insured",
    hrss.ContributionRecord: "months_paid recent_months avg_base paid_at_least",
    hrss.Pension: "benefit_state start_month monthly_amount last_certified is_receiving",
    hrss.SocialCard: "card_no card_state issue_division bank_name has_valid_card",
    hrss.Unemployment: "registered register_date benefit_months_left",
    hrss.LabourContract: "employer_uscc start_date end_date has_active_contract",
    hrss.Qualification: "certificate_no occupation skill_level issue_date state verified",
    payments.AccountVerify: "name_match id_match account_usable reason holder_name balance",
    payments.SscardAccount: "bank_code account_no activated",
    payments.PaymentResult: "batch_no result_code return_reason",
    tax_contributions.Contribution: "period insurance_kind base_amount paid_unit paid_person "
    "paid_date voucher_no paid_in_period",
    incomes.IncomeTax: "tax_year income_band taxable_income withholding_agent has_wage_income",
    taxpayers.Taxpayer: "taxpayer_id taxpayer_state credit_grade in_arrears is_micro",
}
"""Record type → fields of its dataset, as in the dataset catalog."""


@pytest.mark.parametrize("record", CATALOG, ids=lambda record: record.__name__)
def test_a_record_has_every_field_of_its_dataset(record: type) -> None:
    """No field of the catalog is missing from the department's view."""
    held = {field.name for field in fields(record)}

    assert set(CATALOG[record].split()) <= held
