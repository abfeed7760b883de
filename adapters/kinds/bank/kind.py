"""Builds the adapter of the banks from its section of the configuration."""

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography import x509

from adapters.errors import AdapterMisconfigured, AnswerMalformed
from adapters.kind import Kind, Parts
from adapters.kinds.bank.adapter import DATASETS, BankAdapter, find_lacking
from adapters.kinds.bank.front import FrontIdentity
from adapters.limits import build_limits
from adapters.mapping.identifiers import parse_uscc
from adapters.settings import BankConfig
from adapters.tls import build_client_tls
from adapters.transport import DepartmentTransport


def _build(config: BankConfig, parts: Parts) -> BankAdapter:
    if not config.base_url.startswith("https://"):
        # Also on the loopback: without TLS the front would not know who asks.
        raise AdapterMisconfigured("departments.bank.base_url: the front is reached over https")
    for name in ("party", "front"):
        # Told at start: the front would refuse every message, or no answer would be believed.
        _require_uscc(name, getattr(config, name))
    if "" in config.card_prefixes:
        raise AdapterMisconfigured("departments.bank.card_prefixes: an empty one is every number")
    return BankAdapter(
        source=parts.source,
        datasets=parts.datasets,
        transport=DepartmentTransport(
            department="bank",
            base_url=config.base_url,
            limits=build_limits(config.limits),
            tls=_load_tls(config, parts),
        ),
        identity=FrontIdentity(
            party=config.party,
            front=config.front,
            signer=parts.means.load_signer(config.signing_key),
            registered=_load_certificate(config.bank_certificate),
            card_prefixes=config.card_prefixes,
        ),
        now_ms=parts.means.now_ms,
    )


def _require_uscc(name: str, code: str) -> None:
    written = None
    # The error quotes nothing, but says "answer", and this is a setting.
    with suppress(AnswerMalformed):
        written = parse_uscc(code).code
    if written != code:
        text = f"departments.bank.{name}: not the 18 characters of a USCC"
        raise AdapterMisconfigured(text)


def _load_tls(config: BankConfig, parts: Parts) -> ssl.SSLContext:
    key = config.tls_key
    if key.certificate is None:
        raise AdapterMisconfigured("departments.bank.tls_key: needs its certificate")
    # Opened by our own rules first: encrypted, this user's alone, of this certificate.
    signer = parts.means.load_signer(key)
    if signer.keyid == parts.means.load_signer(config.signing_key).keyid:
        raise AdapterMisconfigured("departments.bank: one key for TLS and for messages")
    try:
        context = build_client_tls(config.tls_trust)
        passphrase = parts.means.load_secret(key.passphrase_file)
        context.load_cert_chain(key.certificate, key.key, password=passphrase)
    except (OSError, ValueError):
        text = "departments.bank: tls_key or tls_trust cannot be used"
        # from None: nothing read from a key file may reach a traceback.
        raise AdapterMisconfigured(text) from None
    return context


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        text = "departments.bank.bank_certificate: no certificate in PEM"
        raise AdapterMisconfigured(text) from None  # the cause quotes the path


KIND: Final = Kind(datasets=DATASETS, build=_build, find_lacking=find_lacking)
