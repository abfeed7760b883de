"""The partner's side of the gateway: ask, and believe only what is proven.

`Client` (asyncio) and `SyncClient` (its own thread) sign each question, send it over mutual TLS and
verify what comes back: signature, binding to the question, receipt in the access log, record of the
source department. Nothing unproven is returned; it is raised.

Knows no department, no policy and nothing of the gateway's insides. Reads no environment.
INVARIANT: a value of personal data stands in no `repr`, no error text and no log of this package.
"""

from hutong.client.answer_texts import FINDING_TEXTS, INDETERMINATE_TEXTS
from hutong.client.answers import (
    RECEIPT_FILES,
    Agreement,
    Agreements,
    Answered,
    AnsweredField,
    AnswerState,
    BreakerState,
    Dataset,
    DatasetField,
    Department,
    DepartmentCounts,
    DepartmentFigures,
    Departments,
    Effect,
    Explained,
    ExplainedField,
    FieldOutcome,
    Finding,
    InclusionProof,
    IndeterminateReason,
    Receipt,
)
from hutong.client.client import Client, Settings
from hutong.client.errors import (
    ClientError,
    Fault,
    IdentityRefused,
    NotWritten,
    QuestionRefused,
    Refused,
    Unproven,
)
from hutong.client.identity import Identity, load_identity
from hutong.client.identity_file import AgreementHint
from hutong.client.identity_writer import IdentityMaterial, KeyPair, write_identity
from hutong.client.officer import (
    AssertionContext,
    AssertionSource,
    Officer,
    OfficerLevel,
    Staff,
)
from hutong.client.questions import (
    DatasetQuery,
    MatterQuestion,
    Purpose,
    Question,
    Subject,
    SubjectType,
)
from hutong.client.reasons import ClientReason
from hutong.client.review import Review, find_reviews
from hutong.client.stream import StreamOutcome
from hutong.client.sync import SyncClient

__all__ = [
    "FINDING_TEXTS",
    "INDETERMINATE_TEXTS",
    "RECEIPT_FILES",
    "Agreement",
    "AgreementHint",
    "Agreements",
    "AnswerState",
    "Answered",
    "AnsweredField",
    "AssertionContext",
    "AssertionSource",
    "BreakerState",
    "Client",
    "ClientError",
    "ClientReason",
    "Dataset",
    "DatasetField",
    "DatasetQuery",
    "Department",
    "DepartmentCounts",
    "DepartmentFigures",
    "Departments",
    "Effect",
    "Explained",
    "ExplainedField",
    "Fault",
    "FieldOutcome",
    "Finding",
    "Identity",
    "IdentityMaterial",
    "IdentityRefused",
    "InclusionProof",
    "IndeterminateReason",
    "KeyPair",
    "MatterQuestion",
    "NotWritten",
    "Officer",
    "OfficerLevel",
    "Purpose",
    "Question",
    "QuestionRefused",
    "Receipt",
    "Refused",
    "Review",
    "Settings",
    "Staff",
    "StreamOutcome",
    "Subject",
    "SubjectType",
    "SyncClient",
    "Unproven",
    "find_reviews",
    "load_identity",
    "write_identity",
]
