"""Starts the bank simulator; prints one line of JSON when it is ready."""

import ssl
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.simulators.admin import Controls, build_admin
from adapters.simulators.bank.app import Delay, Department, build_face
from adapters.simulators.bank.callers import load_callers
from adapters.simulators.bank.faults import Fault
from adapters.simulators.bank.front import Front
from adapters.simulators.bank.pki import make_pki, self_signed
from adapters.simulators.bank.register import Register
from adapters.simulators.bank.signature import Signer
from adapters.simulators.command_line import board_of, common_arguments, ports_of
from adapters.simulators.loopback import Server, new_admin_token, run
from adapters.simulators.population import Population
from adapters.simulators.recorder import Recorder
from adapters.simulators.virtual_clock import VirtualClock


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFiles:
    """Where keys and certificates stand."""

    tls_cert: Path
    tls_key: Path
    tls_client_ca: Path
    sign_cert: Path
    sign_key: Path
    callers: Path


def main() -> None:
    """Serve as the command line says until told to stop."""
    arguments, key_files = _parse_arguments()
    token = new_admin_token()
    run(build_server(arguments, key_files, token), ports_of(arguments), token)


def build_server(arguments: Namespace, key_files: KeyFiles, token: str) -> Server:
    """Wire the front and its admin port."""
    clock, recorder, board = VirtualClock(), Recorder(), board_of(arguments, Fault)
    people = Population(seed=arguments.seed, size=arguments.population)
    stranger = self_signed("stranger", clock.local())
    front = Front(
        register=Register(people),
        signers=(_load_signer(key_files), stranger),
        board=board,
        clock=clock,
    )
    department = Department(
        front=front,
        callers=load_callers(key_files.callers),
        delay=Delay(above=arguments.async_above, milliseconds=arguments.async_seconds * 1000),
        board=board,
        clock=clock,
        recorder=recorder,
    )
    controls = Controls(token=token, clock=clock, recorder=recorder, people=people)
    return Server(
        department="bank",
        face=build_face(department),
        admin=build_admin(controls, board),
        recorder=recorder,
        tls=_mutual_tls(key_files),
    )


def _mutual_tls(key_files: KeyFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(key_files.tls_cert, key_files.tls_key)
    context.load_verify_locations(key_files.tls_client_ca)
    return context


def _load_signer(key_files: KeyFiles) -> Signer:
    key = load_pem_private_key(key_files.sign_key.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SystemExit("the signing key is not on an elliptic curve")
    certificate = x509.load_pem_x509_certificate(key_files.sign_cert.read_bytes())
    return Signer(key=key, certificate=certificate)


def _parse_arguments() -> tuple[Namespace, KeyFiles]:
    parser = ArgumentParser(prog="adapters.simulators.bank", description=__doc__)
    common_arguments(parser, Fault)
    parser.add_argument("--pki", type=Path, help="make keys and certificates in this new folder")
    handed = ("tls-cert", "tls-key", "tls-client-ca", "sign-cert", "sign-key", "callers")
    for name in handed:
        parser.add_argument(f"--{name}", type=Path, help="PEM; callers: JSON")
    parser.add_argument("--async-above", type=int, default=100, help="items answered at once")
    parser.add_argument("--async-seconds", type=int, default=2)
    arguments = parser.parse_args()
    files = [getattr(arguments, name.replace("-", "_")) for name in handed]
    if any(files) if arguments.pki else None in files:
        parser.error("give --pki, or all of the files and no --pki")
    return arguments, _made(arguments.pki) if arguments.pki else _handed(files)


def _handed(files: list[Path]) -> KeyFiles:
    tls_cert, tls_key, tls_client_ca, sign_cert, sign_key, callers = files
    return KeyFiles(
        tls_cert=tls_cert,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
        sign_cert=sign_cert,
        sign_key=sign_key,
        callers=callers,
    )


def _made(folder: Path) -> KeyFiles:
    make_pki(folder, VirtualClock().local())
    return KeyFiles(
        tls_cert=folder / "server.pem",
        tls_key=folder / "server.key",
        tls_client_ca=folder / "ca.pem",
        sign_cert=folder / "bank_sign.pem",
        sign_key=folder / "bank_sign.key",
        callers=folder / "callers.json",
    )


if __name__ == "__main__":
    main()
