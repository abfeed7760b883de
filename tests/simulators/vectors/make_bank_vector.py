"""Writes the signed request of docs/adapters/bank.md, section 3, with a key that is thrown away.

Each run makes another key, so the two files change together:
`python -m tests.simulators.vectors.make_bank_vector` from the root of the repository.
"""

from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.signer import XMLSigner

from adapters.simulators.bank.pki import self_signed
from adapters.simulators.population import account_of, person_at
from tests.simulators.bank_client import EC, EXCLUSIVE, FRONT, US, Letter, check

HERE = Path(__file__).parent
CREATED = "2026-11-28T09:30:00+08:00"


def main() -> None:
    """Write both files."""
    signer = self_signed("vector", datetime(2026, 11, 28, tzinfo=UTC))
    person = person_at(1, 0)
    content = (
        f"<IdVrfctnReq><Assgnmt><MsgId>M-0001</MsgId><CreDtTm>{CREATED}</CreDtTm>"
        f"<Assgnr><Pty><Id><OrgId><Othr><Id>{US}</Id></Othr></OrgId></Id></Pty></Assgnr>"
        f"<Assgne><Agt><FinInstnId><Othr><Id>{FRONT}</Id></Othr></FinInstnId></Agt></Assgne>"
        f"</Assgnmt>{check(person, account_of(person))}</IdVrfctnReq>"
    )
    letter = Letter(id="M-0001", kind="acmt.023.001.04", created=CREATED, content=content)
    signed = XMLSigner(signature_algorithm=EC, c14n_algorithm=EXCLUSIVE).sign(
        etree.fromstring(letter.text()), key=signer.key, cert=[signer.certificate]
    )
    octets = etree.tostring(signed, encoding="UTF-8", xml_declaration=True)
    (HERE / "bank_request.xml").write_bytes(octets)
    (HERE / "bank_signer.pem").write_bytes(signer.certificate.public_bytes(Encoding.PEM))


if __name__ == "__main__":
    main()
