"""What a record is: claims in clear, one digest slot per field, disclosures.

A record is an SD-JWT (RFC 9901) in compact form, `<JWT>~<disclosure>~…~`, without key binding; of
an organisation that has SM2 keys only, the JWT's place is taken by a disclosure manifest, the same
claims in a DSSE envelope. A record is bound to one answer by `aud`, `nonce`, `sub_digest` and a
life of minutes (docs/records.md).
Knows no key and no field by name.
INVARIANT: a `VerifiedRecord` is made by `signing.record_verify` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, final

from certs.quick import quickly_made
from signing.encoding import JsonValue

RECORD_TYPE: Final = "hutong-record+sd-jwt"
"""RFC 9901 9.11 wants an own type with the suffix `+sd-jwt`. Not `dc+sd-jwt`: that names an SD-JWT
VC, whose rules for `vct`, status and holder keys a record does not follow (RFC 8725 3.11)."""
MANIFEST_TYPE: Final = "application/vnd.hutong.record.v1.DisclosureManifest+json"
"""Payload type of the same claims in a DSSE envelope, for keys without a JWS algorithm (SM2)."""
DIGEST_ALGORITHM: Final = "sha-256"
"""RFC 9901 4.1.1."""
DIGEST_LENGTH: Final = 32
SALT_LENGTH: Final = 16
"""Bytes; RFC 9901 9.3 recommends 128 bits, fresh for each disclosure."""
MAX_RECORD: Final = 65_536
"""Bytes; a record travels inside one signed payload (envelope.proto)."""
MAX_SLOTS: Final = 64
"""Digests, and so disclosures; exchange.proto asks for at most 64 fields."""
MAX_LIFE_S: Final = 300
"""Seconds; decisions.md, "Where effects are applied, and what the source signs"."""
RESERVED_NAMES: Final = frozenset({"_sd", "..."})
"""RFC 9901 7.1 step 3.d: a claim name a disclosure may never carry."""

DisclosedValue: TypeAlias = Mapping[str, str | Sequence[str]]
"""`{"effect": "MASK", "value": "李**"}` or `{"effect": "PREDICATE", "finding": "YES"}`, or
`WITHHELD`."""
WITHHELD: Final[DisclosedValue] = MappingProxyType({"effect": "WITHHOLD"})
"""What stands for a field whose granted effect the source could not apply: for whoever minimises
the record, and nobody beyond."""

# The one object that opens the constructor of `VerifiedRecord`.
_VERIFIER_MARK: Final = object()


class Custody(StrEnum):
    """Where the key that signed lives."""

    EMBEDDED = "embedded"
    PROVIDER_NODE = "provider_node"


class RecordState(StrEnum):
    """Whether the source holds a record of the subject."""

    FOUND = "FOUND"
    NOT_FOUND = "NOT_FOUND"
    NOT_TOLD = "NOT_TOLD"
    """The agreement does not let it be told; the same whether a record exists or not."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordClaims:
    """What a record says in clear: who, for whom, about which question, until when."""

    issuer: str
    """USCC of the source department: `iss`."""
    audience: str
    """System id of the requester: `aud`."""
    nonce: str
    """The request id in hexadecimal, and `.<item>` for items above 0: `nonce`."""
    dataset: str
    """Dataset and version: `vct`."""
    custody: Custody
    subject_digest: bytes
    """`signing.encoding.subject_digest`: `sub_digest`, in base64url."""
    state: RecordState
    issued_at_s: int
    """UTC seconds: `iat`."""
    expires_at_s: int
    """UTC seconds, at most 300 later: `exp`."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordExpectation:
    """What a record must say to be taken as the answer to one query."""

    issuer: str
    audience: str
    nonce: str
    dataset: str
    subject_digest: bytes
    now_s: int
    """UTC seconds at which the record must hold."""
    leeway_s: int = 30
    """Seconds of clock difference allowed both ways."""
    custody: Custody | None = None
    """Where its key must live; None for whoever does not know how its department is connected."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One disclosed field; `digest` is SHA-256 over `encoded`, the text that was signed for."""

    name: str
    value: JsonValue = field(repr=False)
    """An object of `effect` and either `value` (text or list of texts) or `finding`, or
    `WITHHELD`."""
    digest: bytes
    encoded: str = field(repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRecord:
    """A record as proven; `jwt` is the signed part without disclosures.

    Raises:
        TypeError: someone else than the verifier makes one.
    """

    claims: RecordClaims
    disclosures: tuple[Disclosure, ...]
    jwt: str = field(repr=False)
    mark: InitVar[object]

    def __post_init__(self, mark: object) -> None:
        """Refuse every maker but the verifier."""
        if mark is not _VERIFIER_MARK:
            raise TypeError("only verify_record makes a VerifiedRecord")


def record_nonce(request_id: bytes, item: int = 0) -> str:
    """Return the nonce that binds a record to one query of one request."""
    # A matter asks several questions under one id: without the item their answers could be swapped.
    return f"{request_id.hex()}.{item}" if item else request_id.hex()
