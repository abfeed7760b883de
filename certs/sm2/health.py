"""Decide, once, whether this machine computes SM2.

The decision is a known-answer test, not a version number: distributions repair old versions.
INVARIANT: a library is handed out only after it verified the example of GB/T 32918.5-2017 annex A
and refused the same signature over another message.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from certs.errors import AlgorithmUnavailable, CertsError, SignatureInvalid
from certs.sm2.keys import Sm2PublicKey, parse_sm2_public_key
from certs.sm2.library import LIBRARY_NAME, LibCrypto, open_library

# GB/T 32918.5-2017 annex A.2: public key, message and signature.
_EXAMPLE_SPKI: Final = bytes.fromhex(
    "3059301306072a8648ce3d020106082a811ccf5501822d03420004"
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_EXAMPLE_MESSAGE: Final = b"message digest"
_EXAMPLE_SIGNATURE: Final = bytes.fromhex(
    "3046022100f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "022100b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2Health:
    """Whether this machine computes SM2, with which library, and why not."""

    available: bool
    library_version: str
    reason: str


def require_sm2() -> LibCrypto:
    """Return the library that passed the known-answer test.

    Raises:
        AlgorithmUnavailable: there is none; the text says why.
    """
    return require_sm2_in(LIBRARY_NAME)


@cache
def require_sm2_in(name: str) -> LibCrypto:
    """Open a library by name and put it to the known-answer test, once per process.

    Raises:
        AlgorithmUnavailable: it cannot be opened, or answers wrongly.
    """
    library = open_library(name)
    try:
        key = parse_sm2_public_key(library, _EXAMPLE_SPKI)
        key.verify(_EXAMPLE_SIGNATURE, _EXAMPLE_MESSAGE)
    except (CertsError, AttributeError) as cause:
        raise AlgorithmUnavailable(f"{library.text} fails the SM2 example") from cause
    _require_refusal(key)
    return library


def examine_sm2(name: str = LIBRARY_NAME) -> Sm2Health:
    """Return the state of SM2 on this machine, for health pages."""
    try:
        library = require_sm2_in(name)
    except AlgorithmUnavailable as error:
        return Sm2Health(available=False, library_version="", reason=str(error))
    return Sm2Health(available=True, library_version=library.text, reason="")


def _require_refusal(key: Sm2PublicKey) -> None:
    try:
        key.verify(_EXAMPLE_SIGNATURE, _EXAMPLE_MESSAGE[:-1])
    except SignatureInvalid:
        return
    raise AlgorithmUnavailable("libcrypto accepts a wrong SM2 signature")
