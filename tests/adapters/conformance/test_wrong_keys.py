"""Which keys are tried wrong, and what a wrong one keeps of the true one."""

from pathlib import Path

from adapters.conformance import Endpoint
from adapters.kind import KeyFiles, Means
from adapters.port import ProviderAdapter
from adapters.records import RecordSource
from adapters.settings import DepartmentConfig, EducationConfig
from certs.algorithms import Suite, generate_private_key
from certs.authority import Authority
from certs.naming import SubjectName
from certs.registry_file import KeyPurpose
from gateway.trust import moment
from signing.signer import FileSigner, Signer
from tests.adapters.asking import NOW_MS, ORGANISATION
from tests.adapters.conformance.scripted import SECRET, ScriptedAdapter, behave

SECTION = EducationConfig.model_validate(
    {
        "base_url": "http://127.0.0.1:1",
        "issuer": "i",
        "client_id": "c",
        "client_key": {"key": "client-key", "passphrase_file": "client-pass"},
        "record_key": {"key": "record-key", "passphrase_file": "record-pass"},
    }
)


class _End:
    """An end that asks with a key; it may open the file of that key by itself besides."""

    def __init__(self, *, opens_besides: bool) -> None:
        key, at = generate_private_key(Suite.ES256), moment(NOW_MS // 1000 * 1000)
        name = SubjectName(common_name="client", organisation=ORGANISATION)
        issuer = Authority.create(SubjectName(common_name="CA"), at=at, sandbox=True)
        made = issuer.issue_signing(name, key.public_key, KeyPurpose.ENVELOPE, at=at)
        self.true = FileSigner.of(key, made.der)
        self.asked_with: list[Signer] = []
        self._opens_besides = opens_besides
        self.endpoint = Endpoint(
            build=self._build,
            section=SECTION,
            means=Means(
                providers={},
                matters={},
                now_ms=lambda: NOW_MS,
                load_secret=lambda _: SECRET,
                load_signer=self._load_signer,
            ),
            offered={},
        )

    def _load_signer(self, _: KeyFiles) -> Signer:
        return self.true

    def _build(self, section: DepartmentConfig, means: Means) -> ProviderAdapter:
        assert isinstance(section, EducationConfig)
        self.asked_with.append(means.load_signer(section.client_key))
        if self._opens_besides:
            means.load_secret(section.client_key.passphrase_file)
        source = RecordSource(
            organisation=ORGANISATION, signer=means.load_signer(section.record_key)
        )
        return ScriptedAdapter(source, behave, SECRET)


def test_a_wrong_key_keeps_the_certificate_of_the_true_one() -> None:
    """What is to be refused is the signature; without a certificate nothing would be sent."""
    end = _End(opens_besides=False)
    (credential,) = end.endpoint.find_credentials()

    assert end.endpoint.open_spoilt(credential) is not None

    first, wrong = end.asked_with
    assert (credential.setting, credential.path) == ("client_key", Path("client-key"))
    assert first.keyid == end.true.keyid
    assert wrong.keyid != end.true.keyid
    assert wrong.suite is end.true.suite
    assert wrong.certificate_der == end.true.certificate_der != b""
    assert wrong.sign(b"m") != wrong.sign(b"n")


def test_a_key_that_is_opened_besides_is_not_said_to_be_tried() -> None:
    """Another signer in its place would leave the file as it is: the true key would be shown."""
    end = _End(opens_besides=True)

    credentials = end.endpoint.find_credentials()

    names = [each.setting for each in credentials]
    assert names == ["client_key", "client_key.passphrase_file"]
    assert end.endpoint.open_spoilt(credentials[0]) is None
