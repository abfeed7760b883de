"""Policy: which fields of a question may leave, and how clear, under one named agreement.

Documents are compiled, questions are decided; values are never seen here. Knows no transport, no
log and no adapter.

INVARIANT: nothing is granted that no cell of the one agreement named grants; every error, unknown
fact and unknown name closes.
"""

from gateway.catalog.problems import PolicyReason, PolicyRefused, Problem
from gateway.policy.bundle import Bundle, EngineKind, load_bundle
from gateway.policy.errors import PolicyError, QuestionInvalid
from gateway.policy.model import (
    SYSTEM_ROLE,
    Agreement,
    Decision,
    DecisionInput,
    FieldDecision,
    Quota,
    QuotaKind,
    RuleCode,
)
from gateway.policy.vocabulary import UNKNOWN, Facts, FactValue, Unknown

__all__ = [
    "SYSTEM_ROLE",
    "UNKNOWN",
    "Agreement",
    "Bundle",
    "Decision",
    "DecisionInput",
    "EngineKind",
    "FactValue",
    "Facts",
    "FieldDecision",
    "PolicyError",
    "PolicyReason",
    "PolicyRefused",
    "Problem",
    "QuestionInvalid",
    "Quota",
    "QuotaKind",
    "RuleCode",
    "Unknown",
    "load_bundle",
]
