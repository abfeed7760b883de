"""`hutong partner …`: keys, certificates, trust and identities, for operators and partners."""

import contextlib
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from certs.algorithms import Suite
from certs.certificate import PEM_LABEL, Certificate, parse_certificate
from certs.errors import CertsError
from certs.naming import SubjectName
from certs.pem import encode_pem, parse_single
from certs.registry_file import KeyPurpose, OrganisationKind, SystemClass, SystemRole
from certs.revocation import Crl, parse_crl
from certs.signing_request import parse_signing_request
from gateway.catalog.problems import PolicyRefused
from gateway.cli.agreement_hints import hints_of
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.partner.authority import AuthorityFolder, CertifiedUsage, Wanted
from gateway.cli.partner.identity import Joining, join
from gateway.cli.partner.keys import make_key
from gateway.cli.partner.registry import Entering, enter, publish
from gateway.cli.partner.revoking import Revoking, revoke
from gateway.cli.printing import print_json
from gateway.clock import SystemClock
from gateway.credentials import ConfigError
from gateway.looks import ORGANISATION
from gateway.policy.bundle import load_bundle
from gateway.trust import moment
from hutong.client import AgreementHint, IdentityRefused, NotWritten
from signing.encoding import JsonValue
from signing.errors import SigningError

ROOT_DAYS: Final = 1_825
LEAF_DAYS: Final = 90
TRUST_DAYS: Final = 7
"""A gateway nobody looks after stops by itself: publish daily."""
KEYID_DIGITS: Final = 32
SHA256_DIGITS: Final = 64

_Org = Annotated[str, typer.Option(help="USCC of the organisation.")]
_Name = Annotated[str, typer.Option(help="Name for people, e.g. of the system.")]
_Days = Annotated[int, typer.Option(min=1, max=3_650, help="Days until it ends.")]
_Trust = Annotated[Path, typer.Argument(help="Trust directory (docs/trust.md).")]


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the group."""
    group = typer.Typer(help=help_line, no_args_is_help=True)
    group.command("key")(make)
    group.command("authority")(make_authority)
    group.command("certify")(certify)
    group.command("publish")(publish_trust)
    group.command("register")(register_keys)
    group.command("revoke")(revoke_keys)
    group.command("identity")(write_identity_directory)
    app.add_typer(group, name=name)


def make(
    stem: Annotated[Path, typer.Argument(help="Writes STEM.key, STEM.pass and STEM.csr.")],
    *,
    org: _Org,
    name: _Name,
    suite: Suite = Suite.ES256,
) -> None:
    """Make a key, encrypted, with its passphrase file and a certification request."""
    _require_organisation(org)
    with _refusing():
        request = make_key(stem, suite, SubjectName(common_name=name, organisation=org))
    typer.echo(f"{request}")


def make_authority(
    folder: Annotated[Path, typer.Argument(help="A new folder (0700).")],
    *,
    name: _Name,
    days: _Days = ROOT_DAYS,
) -> None:
    """Make a small authority for one installation; it replaces no licensed CA."""
    with _refusing():
        root = AuthorityFolder(folder=folder).create(name, _now(), timedelta(days=days))
    typer.echo(f"{folder}: until {root.not_after.date()}")


def certify(
    request: Annotated[Path, typer.Argument(help="Certification request, STEM.csr.")],
    *,
    authority: Annotated[Path, typer.Option(help="Folder of the authority.")],
    usage: Annotated[CertifiedUsage, typer.Option(help="The key's one usage.")],
    org: _Org,
    name: _Name,
    host: Annotated[
        list[str] | None, typer.Option(help="Name or address of a TLS server; repeat it.")
    ] = None,
    days: _Days = LEAF_DAYS,
) -> None:
    """Certify the key of a request as STEM.crt; whose key it is, you have to know."""
    _require_organisation(org)
    if bool(host) != (usage is CertifiedUsage.TLS_SERVER):
        raise Ended(ExitCode.USAGE, "--host belongs to --usage tls-server, which needs one")
    with _refusing():
        wanted = Wanted(
            request=parse_signing_request(request.read_bytes()),
            usage=usage,
            subject=SubjectName(common_name=name, organisation=org),
            hosts=tuple(host or ()),
            lifetime=timedelta(days=days),
        )
        issued = AuthorityFolder(folder=authority).issue(wanted, _now())
        target = request.with_suffix(".crt")
        # A renewal: the key stays, its certificate is the new one.
        target.write_bytes(encode_pem(issued.der, PEM_LABEL))
    typer.echo(f"{target}: until {issued.not_after.date()}")


def publish_trust(
    trust: _Trust,
    *,
    authority: Annotated[
        Path | None, typer.Option(help="Folder of an own authority: its anchor and a new CRL.")
    ] = None,
    anchor: Annotated[
        list[Path] | None, typer.Option(help="Root of another CA; repeat it.")
    ] = None,
    crl: Annotated[list[Path] | None, typer.Option(help="CRL of another CA; repeat it.")] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="Until trust ends.")] = TRUST_DAYS,
) -> None:
    """Publish anchors and CRLs, and put off when trust ends; repeat it before it does."""
    at = _now()
    until = at + timedelta(days=days)
    with _refusing():
        anchors = [_certificate(path) for path in anchor or ()]
        crls: list[Crl] = [parse_crl(path.read_bytes()) for path in crl or ()]
        if authority is not None:
            own, fresh = AuthorityFolder(folder=authority).publish(at, until)
            anchors.append(own)
            crls.append(fresh)
        material = publish(trust, tuple(anchors), tuple(crls), at, until)
    typer.echo(f"{trust}: sequence {material.sequence}, until {until.isoformat()}")


def register_keys(
    trust: _Trust,
    *,
    org: _Org,
    key: Annotated[
        list[str], typer.Option(help="USAGE=FILE: a certificate for tls, envelope, …; repeat it.")
    ],
    system: Annotated[str, typer.Option(help="Slug of the system; none for officer keys.")] = "",
    role: Annotated[SystemRole | None, typer.Option(help="Of a new system.")] = None,
    system_class: Annotated[
        SystemClass, typer.Option("--class", help="Of a new system: how it reaches the gateway.")
    ] = SystemClass.GRPC,
    kind: Annotated[
        OrganisationKind, typer.Option(help="Of a new organisation.")
    ] = OrganisationKind.DEPARTMENT,
    name_zh: Annotated[str, typer.Option(help="Chinese name of a new organisation.")] = "",
    name_en: Annotated[str, typer.Option(help="English name of a new organisation.")] = "",
) -> None:
    """Register keys of an organisation or of one of its systems; a gateway takes them up itself."""
    _require_organisation(org)
    with _refusing():
        entering = Entering(
            uscc=org,
            name_zh=name_zh,
            name_en=name_en,
            kind=kind,
            slug=system,
            role=role,
            system_class=system_class,
            keys=dict(_named_key(text) for text in key),
        )
        material = enter(trust, entering, _now())
    typer.echo(f"{trust}: sequence {material.sequence}")


def revoke_keys(
    trust: _Trust,
    *,
    org: _Org,
    system: Annotated[
        str, typer.Option(help="Slug of the system; none: the organisation with all its systems.")
    ] = "",
    key: Annotated[
        list[str] | None, typer.Option(help="Key id, 32 hexadecimal digits; repeat it.")
    ] = None,
    thumbprint: Annotated[
        list[str] | None, typer.Option(help="SHA-256 of a certificate, e.g. of TLS; repeat it.")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Every key it has.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False,
) -> None:
    """Revoke keys for good; a gateway that serves refuses them from its next reload on."""
    _require_organisation(org)
    if whole == bool(key or thumbprint):
        raise Ended(ExitCode.USAGE, "either --whole, or --key and --thumbprint")
    revoking = Revoking(
        uscc=org,
        slug=system,
        keyids=frozenset(_hexadecimal(text, KEYID_DIGITS) for text in key or ()),
        thumbprints=frozenset(_hexadecimal(text, SHA256_DIGITS) for text in thumbprint or ()),
        whole=whole,
    )
    with _refusing():
        revoked = revoke(trust, revoking, _now())
    if json:
        keys: list[JsonValue] = [
            {
                "owner": each.owner,
                "usage": each.usage,
                "keyid": each.keyid,
                "thumbprint": each.thumbprint,
            }
            for each in revoked.keys
        ]
        print_json({"sequence": revoked.sequence, "revoked": keys})
        return
    for each in revoked.keys:
        typer.echo(f"{each.owner}: {each.usage} key {each.keyid} is revoked")
    typer.echo(f"{trust}: sequence {revoked.sequence}")


def write_identity_directory(
    target: Annotated[Path, typer.Argument(help="A new folder (docs/clients/identity.md).")],
    *,
    keys: Annotated[
        Path, typer.Option(help="Folder with tls.*, envelope.* and perhaps officer.*.")
    ],
    trust: Annotated[Path, typer.Option(help="Copy of the gateway's trust directory.")],
    system: Annotated[str, typer.Option(help="Id of the own system, USCC/slug.")],
    gateway: Annotated[str, typer.Option(help="Id of the gateway's system, USCC/slug.")],
    address: Annotated[str, typer.Option(help="HOST:PORT of the gateway.")],
    log_key_file: Annotated[Path, typer.Option(help="Key of the gateway's log.")],
    tls_server_name: Annotated[str, typer.Option(help="For a loopback address only.")] = "",
    policy: Annotated[
        Path | None, typer.Option(help="Bundle, so that the agreements are named.")
    ] = None,
    start_date: Annotated[str, typer.Option(help="The day 启动日 stands for.")] = "",
) -> None:
    """Write the identity directory of a system from its keys and the gateway's public files."""
    with _refusing():
        joining = Joining(
            system_id=system,
            keys=keys,
            trust=trust,
            gateway_id=gateway,
            address=address,
            tls_server_name=tls_server_name or None,
            log_key=log_key_file.read_text("utf-8").strip(),
            agreements=() if policy is None else _hints(policy, start_date, system),
        )
        join(target, joining)
    typer.echo(f"{target}")


def _hints(policy: Path, start_date: str, system: str) -> tuple[AgreementHint, ...]:
    day = date.fromisoformat(start_date) if start_date else _now().date()
    return hints_of(load_bundle(policy, day), system)


def _named_key(text: str) -> tuple[KeyPurpose, Certificate]:
    usage, separator, path = text.partition("=")
    if not separator or usage not in set(KeyPurpose):
        raise Ended(ExitCode.USAGE, f"--key is USAGE=FILE, USAGE one of {', '.join(KeyPurpose)}")
    return KeyPurpose(usage), _certificate(Path(path))


def _hexadecimal(text: str, digits: int) -> str:
    """Return lower-case digits; `openssl x509 -fingerprint` prints colons and capitals."""
    plain = text.replace(":", "").lower()
    if re.fullmatch(f"[0-9a-f]{{{digits}}}", plain, re.ASCII) is None:
        raise Ended(ExitCode.USAGE, f"{text}: not {digits} hexadecimal digits")
    return plain


def _certificate(path: Path) -> Certificate:
    return parse_certificate(parse_single(path.read_bytes(), PEM_LABEL))


def _require_organisation(org: str) -> None:
    if ORGANISATION.fullmatch(org) is None:
        raise Ended(ExitCode.USAGE, "--org is a unified social credit code of 18 characters")


def _now() -> datetime:
    return moment(SystemClock().now_ms()).replace(microsecond=0)


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Turn what a file or certificate is refused for into the end of the command."""
    try:
        yield
    except (
        *(CertsError, SigningError, IdentityRefused),
        *(NotWritten, ConfigError, PolicyRefused),
    ) as error:
        raise Ended(ExitCode.NO, f"refused: {error}") from error
    except (OSError, ValueError) as error:
        raise Ended(ExitCode.UNREADABLE, f"cannot read or write: {error}") from error
