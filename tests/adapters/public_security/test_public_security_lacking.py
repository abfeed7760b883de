"""What the register demands of every question, said before it is asked."""

from dataclasses import replace

import pytest

from adapters.errors import DepartmentFailed
from adapters.kinds.public_security.identity import require_end_user
from adapters.port import EndUser, Indeterminate, Lacking, Query, Subject, SubjectType, Untold
from tests.adapters.asking import CLEAR, query_of
from tests.adapters.public_security.asking import CORE, IDENTITY, NOBODY, OFFICER, Asking


def _query(end_user: EndUser | None = OFFICER, name: str | None = NOBODY[1]) -> Query:
    query = query_of(CORE, (NOBODY[0], name), {"sex": CLEAR})
    return replace(query, end_user=end_user, by_officer=True)


@pytest.mark.parametrize("name", [None, "", "李\x00明", "李" * 61, "\ufffe"])
async def test_a_person_without_a_usable_name_lacks_it(asking: Asking, name: str | None) -> None:
    """Absent, empty, too long, or with characters no message carries."""
    assert asking.adapter.find_lacking(_query(name=name)) is Lacking.SUBJECT_NAME


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "赵" * 61},
        {"name": "赵\x0b"},
        {"identifier": "123"},
        {"identifier": "370102195603150020"},
        {"identifier": "37010219560315002x"},
        {"identifier": "370102560315002"},
        {"unit": ""},
        {"unit_code": ""},
        {"unit_code": "37-01"},
        {"unit_code": "1" * 21},
        {"call_reason": ""},
        {"call_reason": "退休"},
        {"call_reason": "12345"},
        {"call_reason": "啊啊啊啊"},
        {"call_reason": "接口测试一下"},
        {"call_reason": "退休申请\x00"},
        {"call_reason": "长" + "由" * 200},
    ],
    ids=str,
)
async def test_an_officer_the_register_would_send_back_is_lacking(
    asking: Asking, wrong: dict[str, str]
) -> None:
    """Each rule of the manual's table about who asks is known before asking."""
    query = _query(replace(OFFICER, **wrong))

    outcome = await asking.adapter.fetch(query)

    assert asking.adapter.find_lacking(query) is Lacking.OFFICER
    assert outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)


async def test_an_unnamed_officer_does_not_hide_behind_the_system(asking: Asking) -> None:
    """The person who answers for system jobs stands in for no officer."""
    query = _query(end_user=None)

    assert asking.adapter.find_lacking(query) is Lacking.OFFICER
    with pytest.raises(DepartmentFailed) as failed:
        require_end_user(IDENTITY, query)
    assert failed.value.reason is Indeterminate.QUESTION_REJECTED


async def test_a_whole_question_lacks_nothing(asking: Asking) -> None:
    """An officer with his number, a system job, and an organisation (which is no person)."""
    job = replace(_query(end_user=None), by_officer=False)
    organisation = Subject(type=SubjectType.USCC, identifier="91370000MA3DEM094M")

    found = [
        asking.adapter.find_lacking(each)
        for each in (_query(), job, replace(_query(), subject=organisation))
    ]

    assert found == [None, None, None]
    outcome = await asking.adapter.fetch(replace(_query(), subject=organisation))
    assert outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)
