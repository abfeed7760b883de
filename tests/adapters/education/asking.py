"""How tests ask the education department."""

from collections.abc import Mapping
from dataclasses import replace

from adapters.kinds.education import EducationAdapter
from adapters.port import (
    DatasetShape,
    Effect,
    EffectKind,
    Finding,
    Outcome,
    Query,
    Untold,
)
from certs.algorithms import Suite, generate_private_key
from tests.adapters.asking import (
    disclosed,
    query_of,
    shape_of,
)
from tests.adapters.simulated import Person, Simulator

CLIENT_KEY = generate_private_key(Suite.ES256)

DIPLOMA = shape_of(
    "edu.diploma@1",
    {
        "person_id": "cid18",
        "full_name": "str60",
        "certificate_no": r"re:\d{17,18}",
        "institution_code": r"re:\d{5}",
        "institution_name": "str100",
        "major_name": "str80",
        "education_level": "code:GB/T4658",
        "education_type": "code:1/5/6/7",
        "study_mode": "code",
        "enrol_date": "date",
        "graduation_date": "date",
        "conclusion": "code:毕业/结业/肄业",
        "photo": "b64",
        "verified": "pred",
    },
)
DEGREE = shape_of(
    "edu.degree@1",
    {
        "certificate_no": r"re:[CTZ]?\d{10}[0-9SEZ]\d{5}",
        "degree_level": "code:2博3硕4学",
        "discipline": "code",
        "granting_unit": "str100",
        "grant_date": "date",
        "revoked": "bool",
        "verified": "pred",
    },
)
ENROLMENT = shape_of(
    "edu.enrolment@1",
    {
        "school_name": "str100",
        "student_status": "code:在籍/休学/毕业",
        "expected_graduation": "date",
        "is_enrolled": "pred",
    },
    is_enrolled=Finding.NO,
)
YEAR = Effect(kind=EffectKind.GENERALISE, parameters=("year",))


class Asking:
    """Asks the adapter about planted people."""

    def __init__(self, simulator: Simulator, adapter: EducationAdapter) -> None:
        """Keep whom to ask."""
        self.simulator = simulator
        self.adapter = adapter

    def query(
        self,
        shape: DatasetShape,
        person: Person,
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
        seconds: float = 5.0,
    ) -> Query:
        """Return a query at the department's time."""
        query = query_of(shape, person.named, grants, claims, seconds)
        return replace(query, issued_at_ms=self.simulator.now_ms())

    async def fetch(
        self,
        shape: DatasetShape,
        person: Person,
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
    ) -> tuple[Outcome, dict[str, str | list[str]]]:
        """Return the outcome and what was disclosed."""
        query = self.query(shape, person, grants, claims)
        outcome = await self.adapter.fetch(query)
        return outcome, {} if isinstance(outcome, Untold) else disclosed(query, outcome)


def claim(person: Person, dataset: str = "diploma") -> dict[str, str]:
    """Return the person's own certificate number as a claim."""
    return {"certificate_no": person.text("education", dataset, "certificate_no")}
