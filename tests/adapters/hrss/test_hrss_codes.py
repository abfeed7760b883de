"""Each code of the HRSS tables has one meaning."""

import pytest

from adapters.kinds.hrss import (
    IS_INSURED,
    IS_QUALIFIED,
    IS_RECEIVING,
    IS_REGISTERED,
    IS_VALID_CARD,
    HrssAdapter,
)
from adapters.port import (
    Finding,
)
from tests.adapters.asking import IS_TRUE
from tests.adapters.hrss.tables import (
    CARD,
    PARTICIPATION,
    PENSION,
    QUALIFICATION,
    UNEMPLOYMENT,
    Tables,
    ask,
)


@pytest.mark.parametrize(("code", "finding"), [*IS_INSURED.items(), ("?", Finding.INDETERMINATE)])
async def test_each_insurance_state_has_its_finding(
    adapter: HrssAdapter, tables: Tables, code: str, finding: Finding
) -> None:
    """Only 参保 is insured; a code nobody knows says nothing."""
    tables.add("hr_participation", state=code, first_date="2004-08-01")

    assert await ask(adapter, PARTICIPATION, {"is_insured": IS_TRUE}) == {"is_insured": finding}


@pytest.mark.parametrize(("code", "finding"), [*IS_RECEIVING.items(), ("?", Finding.INDETERMINATE)])
async def test_each_benefit_state_has_its_finding(
    adapter: HrssAdapter, tables: Tables, code: str, finding: Finding
) -> None:
    """A suspended pension is neither received nor not."""
    tables.add("hr_pension", benefit_state=code)

    assert await ask(adapter, PENSION, {"is_receiving": IS_TRUE}) == {"is_receiving": finding}


@pytest.mark.parametrize(
    ("code", "finding"), [*IS_VALID_CARD.items(), ("?", Finding.INDETERMINATE)]
)
async def test_each_card_state_has_its_finding(
    adapter: HrssAdapter, tables: Tables, code: str, finding: Finding
) -> None:
    """Only 正常 is valid."""
    tables.add("hr_sscard", card_no="A12345678", card_state=code)

    assert await ask(adapter, CARD, {"has_valid_card": IS_TRUE}) == {"has_valid_card": finding}


@pytest.mark.parametrize(
    ("code", "finding"), [*IS_REGISTERED.items(), ("7", Finding.INDETERMINATE)]
)
async def test_each_registration_code_has_its_finding(
    adapter: HrssAdapter, tables: Tables, code: str, finding: Finding
) -> None:
    """The column says 1 or 0."""
    tables.add("hr_unemployment", registered=int(code))

    assert await ask(adapter, UNEMPLOYMENT, {"registered": IS_TRUE}) == {"registered": finding}


@pytest.mark.parametrize(("code", "finding"), [*IS_QUALIFIED.items(), ("?", Finding.INDETERMINATE)])
async def test_each_certificate_state_has_its_finding(
    adapter: HrssAdapter, tables: Tables, code: str, finding: Finding
) -> None:
    """A revoked certificate does not verify."""
    tables.add("hr_qualification", certificate_no="Q1", state=code, issue_date="2023-11-20")

    found = await ask(adapter, QUALIFICATION, {"verified": IS_TRUE}, {"certificate_no": "Q1"})

    assert found == {"verified": finding}
