"""Our signatures and records before programs that are not ours; each raises where they disagree.

Knows `openssl`, gmalg, the package sd-jwt and its namesake for Node; starts no gateway.
"""

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import gmalg
from cryptography.hazmat.primitives.serialization import load_der_public_key
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

from bench.interop_receipts import SECONDS, Disagreement, Gap
from certs.algorithms import (
    PublicKey,
    Suite,
    generate_private_key,
    load_private_key,
    parse_public_key,
    verify_signature,
)
from certs.signature_format import SM2_ORDER, encode_der_signature, parse_der_signature

SDJWT: Final = "@sd-jwt/core@0.19.0"
SIGNER_ID: Final = "1234567812345678"
"""GB/T 35276-2017 10: the signer identifier where no other is agreed."""
MESSAGE: Final = b"one message, signed by one program and verified by another"
_SCRIPT: Final = Path(__file__).parent / "foreign_sdjwt.mjs"
_SPKI_HEAD: Final = 26
"""Bytes of an SM2 SubjectPublicKeyInfo before its uncompressed point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRecord:
    """A record a gateway gave out, the key that signed it, and what our client read in it."""

    compact: str = field(repr=False)
    key: PublicKey
    values: dict[str, object] = field(repr=False)


def compare_sm2_with_openssl(folder: Path) -> None:
    """Sign here and verify there, and the other way round, with a key that openssl made.

    Raises:
        Disagreement, Gap: a signature is refused; there is no openssl with SM2.
    """
    pem, der, public = folder / "sm2.pem", folder / "sm2.der", folder / "sm2.pub"
    message, signature = folder / "message", folder / "signature"
    _openssl("genpkey", "-algorithm", "SM2", "-out", str(pem))
    _openssl("pkey", "-in", str(pem), "-outform", "DER", "-out", str(der))
    _openssl("pkey", "-in", str(pem), "-pubout", "-out", str(public))
    key = load_private_key(der.read_bytes(), None)
    message.write_bytes(MESSAGE)
    option = ("-sm3", "-sigopt", f"distid:{SIGNER_ID}")
    signature.write_bytes(encode_der_signature(key.sign(MESSAGE), SM2_ORDER))
    verify = ("dgst", *option, "-verify", str(public), "-signature", str(signature), str(message))
    _openssl(*verify)
    _openssl("dgst", *option, "-sign", str(pem), "-out", str(signature), str(message))
    raw = parse_der_signature(signature.read_bytes(), SM2_ORDER)
    verify_signature(key.public_key, raw, MESSAGE)


def compare_sm2_with_gmalg(_folder: Path) -> None:
    """Sign here and verify with gmalg, and the other way round.

    Raises:
        Disagreement: a signature is refused.
    """
    own = generate_private_key(Suite.SM2SM3)
    spki, raw = own.public_key.spki, own.sign(MESSAGE)
    theirs = gmalg.SM2(pk=spki[_SPKI_HEAD:], uid=SIGNER_ID.encode())
    if not theirs.verify(MESSAGE, raw[:32], raw[32:]):
        raise Disagreement("gmalg refuses our signature")
    secret, point = gmalg.SM2().generate_keypair()
    r, s = gmalg.SM2(sk=secret, uid=SIGNER_ID.encode()).sign(MESSAGE)
    verify_signature(parse_public_key(spki[:_SPKI_HEAD] + point), r + s, MESSAGE)


def compare_records_with_sd_jwt(records: Sequence[LiveRecord]) -> None:
    """Let the Python package sd-jwt read records, and refuse spoiled ones.

    Raises:
        Disagreement: it reads something else, or takes a spoiled record.
    """
    for record in records:
        key = JWK.from_pyca(load_der_public_key(record.key.spki))
        payload = SDJWTVerifier(record.compact, lambda *_, key=key: key).get_verified_payload()
        _require_values(record, payload)


def compare_records_with_node(records: Sequence[LiveRecord], folder: Path) -> None:
    """Let the Node package @sd-jwt/core read records, and refuse spoiled ones.

    Raises:
        Disagreement, Gap: it reads something else; it cannot be had here.
    """
    install(SDJWT, folder)
    asked = [
        {"record": compact, "spki": base64.b64encode(record.key.spki).decode()}
        for record in records
        for compact in (record.compact, _spoiled(record.compact))
    ]
    command = [require_program("node"), str(_SCRIPT), str(folder)]
    done = subprocess.run(
        command,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    told = json.loads(done.stdout)
    for record, good, bad in zip(records, told[::2], told[1::2], strict=True):
        if good is None:
            raise Disagreement(f"{SDJWT} refuses a record of ours")
        _require_values(record, good)
        if bad is not None:
            raise Disagreement(f"{SDJWT} takes a spoiled record")


def install(package: str, folder: Path) -> None:
    """Install a Node package into a folder of its own; no script of it runs.

    Raises:
        Gap: there is no npm, or it cannot reach its registry.
    """
    flags = ["--ignore-scripts", "--no-fund", "--no-audit", "--silent", "--prefix", str(folder)]
    command = [require_program("npm"), "install", *flags, *([package] if package else [])]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=SECONDS)
    except subprocess.SubprocessError as cause:
        raise Gap("npm cannot install it here") from cause


def require_program(name: str) -> str:
    """Return where a program is.

    Raises:
        Gap: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise Gap(f"system program {name} is not installed")
    return found


def _openssl(*arguments: str) -> None:
    done = subprocess.run(
        [require_program("openssl"), *arguments], capture_output=True, check=False, timeout=SECONDS
    )
    if done.returncode:
        raise Disagreement(f"openssl {arguments[0]} ends with {done.returncode}")


def _require_values(record: LiveRecord, payload: dict[str, object]) -> None:
    read = {name: payload.get(name) for name in record.values}
    if read != record.values:
        wrong = sorted(name for name in read if read[name] != record.values[name])
        raise Disagreement(f"read otherwise: {', '.join(wrong)}")


def _spoiled(compact: str) -> str:
    """Return a record with one character of its signature changed."""
    place = compact.index("~") - 10
    return compact[:place] + ("A" if compact[place] != "A" else "B") + compact[place + 1 :]


if __name__ == "__main__":
    sys.exit("run `python -m bench.interop`")
