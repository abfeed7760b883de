"""Identity directories of partners: the one spelling that the SDK reads back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gateway.cli.agreement_hints import hints_of
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.world import GATEWAY_SLUG, Partner, World
from hutong.client.identity_file import (
    FILE_NAME,
    encode_identity,
    parse_identity,
)
from hutong.client.identity_writer import IdentityMaterial, KeyPair, write_identity


def write_partner(world: World, partner: Partner, address: str, folder: Path) -> None:
    """Write the identity directory of one partner, with what its agreements let it ask."""
    organisation = partner.system_id.partition("/")[0]
    officer = world.officers[organisation]
    write_identity(
        folder,
        IdentityMaterial(
            system_id=partner.system_id,
            gateway_id=f"{world.province.hrss}/{GATEWAY_SLUG}",
            address=address,
            tls_server_name="localhost",
            tls=KeyPair(private_key=partner.tls.key, certificate=partner.tls.certificate),
            tls_authorities=(world.authority.authority.certificate,),
            envelope=KeyPair(
                private_key=partner.envelope.key, certificate=partner.envelope.certificate
            ),
            officer=KeyPair(private_key=officer.key, certificate=officer.certificate),
            gateway_certificates=(world.gateway_keys["envelope"].certificate,),
            log_key=world.log_vkey,
            record_certificates={
                world.provider_of(name): (key.certificate,)
                for name, key in world.record_keys.items()
            },
            agreements=hints_of(world.bundle, partner.system_id),
        ),
    )


def note_identity(folders: Folders, identity: Path) -> None:
    """Note where a newcomer keeps his identity, so that a later start finds it."""
    if identity.parent != folders.partners:
        with folders.identities.open("a", encoding="utf-8") as noted:
            noted.write(f"{identity}\n")


def identities_of(folders: Folders) -> Iterator[Path]:
    """Yield every identity directory of a sandbox that is still there."""
    known = sorted(folders.partners.iterdir())
    if folders.identities.exists():
        known += [Path(line) for line in folders.identities.read_text("utf-8").splitlines()]
    # A folder is noted once more where an enrolment failed after the note.
    yield from (each for each in dict.fromkeys(known) if (each / FILE_NAME).is_file())


def readdress_partners(folders: Folders, address: str) -> None:
    """Tell every identity where the gateway listens now."""
    for identity in identities_of(folders):
        path = identity / FILE_NAME
        told = parse_identity(path.read_bytes())
        if told.gateway.address != address:
            moved = replace(told, gateway=replace(told.gateway, address=address))
            path.write_bytes(encode_identity(moved))
