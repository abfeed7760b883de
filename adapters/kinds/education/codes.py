"""What each code of the education department means; all there are (docs/adapters/education.md).

Knows no message. INVARIANT: what stands in no table here is never read as NO and never told.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.port import Finding

NO_RECORD: Final = "EDU-4040"
"""The one code that makes a 404 "not found"."""
NO_JOB: Final = "EDU-4041"
"""The job, or the path, is none."""
EXPIRED: Final = "EDU-4100"
"""The holder's code, or the job, has ended."""

VALID: Final = "有效"
RECORD_STATES: Final[Mapping[str, Finding]] = MappingProxyType(
    {VALID: Finding.YES, "注销": Finding.NO}
)
"""`zt`: whether the record stands."""
REVOCATIONS: Final[Mapping[str, Finding]] = MappingProxyType({"0": Finding.YES, "1": Finding.NO})
"""`cxbz`: whether a degree is one still."""
ENROLLED: Final = "在籍"
STUDENT_STATES: Final[Mapping[str, Finding]] = MappingProxyType(
    {ENROLLED: Finding.YES, "休学": Finding.NO, "毕业": Finding.NO}
)
"""`xjzt`: whether the person studies now."""

# What each code of the department is in the catalog; an unlisted code is no value.
EDUCATION_LEVELS: Final = MappingProxyType({code: code for code in ("11", "14", "21", "31")})
EDUCATION_TYPES: Final = MappingProxyType({code: code for code in ("1", "5", "6", "7")})
STUDY_MODES: Final = MappingProxyType({text: text for text in ("全日制", "非全日制")})
CONCLUSIONS: Final = MappingProxyType({text: text for text in ("毕业", "结业", "肄业")})
DEGREE_LEVELS: Final = MappingProxyType({code: code for code in ("2", "3", "4")})
DISCIPLINES: Final = MappingProxyType({f"{code:02d}": f"{code:02d}" for code in range(1, 15)})
NOT_REVOKED: Final = "0"
REVOKED: Final = MappingProxyType({NOT_REVOKED: "false", "1": "true"})
STUDENT_CODES: Final = MappingProxyType({text: text for text in STUDENT_STATES})
