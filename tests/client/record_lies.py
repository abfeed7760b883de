"""The table of lies about records: what the source department never signed, or not for this."""

import dataclasses
from collections.abc import Callable

from certs.private_key import generate_private_key
from certs.suites import Suite
from hutong.client import ClientReason
from hutong.exchange.v1 import exchange_pb2
from signing.record import RecordClaims
from signing.signer import FileSigner
from tests.client.gateway_double import GatewayDouble
from tests.client.lies import Lie, Prepare, of_field, sets
from tests.client.synthetic_world import GATEWAY

R = ClientReason


def _claims(changed: Callable[[RecordClaims], RecordClaims]) -> Prepare:
    def prepare(double: GatewayDouble) -> None:
        double.claims_hook = changed

    return prepare


def _yesterday(claims: RecordClaims) -> RecordClaims:
    return dataclasses.replace(
        claims, issued_at_s=claims.issued_at_s - 86_400, expires_at_s=claims.expires_at_s - 86_400
    )


def _record_of_another_key(double: GatewayDouble) -> None:
    double.record_signer = FileSigner.of(generate_private_key(Suite.EDDSA))


def _flip_record(record: str) -> str:
    jwt, _, rest = record.partition("~")
    head, body, signature = jwt.split(".")
    turned = ("A" if signature[0] != "A" else "B") + signature[1:]
    return f"{head}.{body}.{turned}~{rest}"


def _disclose(**disclosed: dict[str, str]) -> Callable[[dict[str, object]], None]:
    def hook(members: dict[str, object]) -> None:
        members |= disclosed

    return hook


def _hide(name: str) -> Callable[[dict[str, object]], None]:
    def hook(members: dict[str, object]) -> None:
        del members[name]

    return hook


RECORD_LIES: dict[str, Lie] = {
    "no record": Lie(reason=R.RECORD_MISSING, twists={"body": sets(record="")}),
    "not found, which no department signed": Lie(
        reason=R.RECORD_MISSING,
        twists={"body": sets(record="", state=exchange_pb2.ANSWER_STATE_NOT_FOUND)},
    ),
    "a record that is none": Lie(reason=R.RECORD_MALFORMED, twists={"record": lambda _: "a.b"}),
    "a record of a key nobody registered": Lie(
        reason=R.RECORD_SIGNER_UNKNOWN, prepare=_record_of_another_key
    ),
    "a record of a department nobody registered": Lie(
        reason=R.RECORD_SIGNER_UNKNOWN, twists={"body": sets(provider="11370000MB2DEM0303")}
    ),
    "a flipped signature of the record": Lie(
        reason=R.RECORD_SIGNATURE_INVALID, twists={"record": _flip_record}
    ),
    "a record issued in another's name": Lie(
        reason=R.RECORD_ISSUER_WRONG,
        prepare=_claims(lambda claims: dataclasses.replace(claims, issuer="11370000MB2DEM0303")),
    ),
    "a record for another system": Lie(
        reason=R.RECORD_AUDIENCE_WRONG,
        prepare=_claims(lambda claims: dataclasses.replace(claims, audience=GATEWAY)),
    ),
    "a record of another request": Lie(
        reason=R.RECORD_NONCE_WRONG,
        prepare=_claims(lambda claims: dataclasses.replace(claims, nonce="00" * 16)),
    ),
    "a record of another dataset": Lie(
        reason=R.RECORD_DATASET_WRONG,
        prepare=_claims(lambda claims: dataclasses.replace(claims, dataset="mca.divorce@1")),
    ),
    "a record of another subject": Lie(
        reason=R.RECORD_SUBJECT_WRONG,
        prepare=_claims(lambda claims: dataclasses.replace(claims, subject_digest=bytes(32))),
    ),
    "a record of yesterday": Lie(reason=R.RECORD_NOT_CURRENT, prepare=_claims(_yesterday)),
    "a disclosure of a withheld field": Lie(
        reason=R.DISCLOSURE_UNASKED,
        twists={"disclosed": _disclose(spouse_name={"effect": "CLEAR", "value": "王芳"})},
    ),
    "a word of the department why a field is withheld": Lie(
        reason=R.DISCLOSURE_UNASKED,
        twists={"disclosed": _disclose(spouse_name={"effect": "WITHHOLD"})},
    ),
    "a disclosure of a field nobody asked for": Lie(
        reason=R.DISCLOSURE_UNASKED,
        twists={"disclosed": _disclose(changes={"effect": "CLEAR", "value": "2"})},
    ),
    "a value without disclosure": Lie(
        reason=R.DISCLOSURE_MISSING, twists={"disclosed": _hide("full_name")}
    ),
    "a clearer effect than answered": Lie(
        reason=R.DISCLOSURE_DIFFERS,
        twists={"disclosed": _disclose(full_name={"effect": "CLEAR", "value": "李明"})},
    ),
    "a value where a finding is answered": Lie(
        reason=R.DISCLOSURE_DIFFERS,
        twists={"disclosed": _disclose(is_married={"effect": "PREDICATE", "value": "在婚"})},
    ),
    "no, where it could not be told": Lie(
        reason=R.DISCLOSURE_DIFFERS,
        twists={"disclosed": _disclose(is_married={"effect": "PREDICATE", "finding": "ERROR"})},
    ),
    "a finding of no list": Lie(
        reason=R.RECORD_MALFORMED,
        twists={"disclosed": _disclose(is_married={"effect": "PREDICATE", "finding": "MAYBE"})},
    ),
    "a value under a withheld effect": Lie(
        reason=R.DISCLOSURE_DIFFERS,
        twists={"body": of_field(0, effect=exchange_pb2.EFFECT_WITHHOLD)},
    ),
    "a field withheld under another effect": Lie(
        reason=R.DISCLOSURE_DIFFERS,
        twists={"body": of_field(2, effect=exchange_pb2.EFFECT_MASK)},
    ),
    "a derived value without its source": Lie(
        reason=R.DISCLOSURE_DIFFERS,
        twists={"body": lambda body: body.fields[0].derived.__setattr__("text", "1980")},
    ),
}
