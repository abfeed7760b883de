"""Identity directories of partners: the one spelling that the SDK reads back."""

from pathlib import Path

from gateway.cli.sandbox.world import GATEWAY_SLUG, HRSS, Partner, World
from gateway.policy.bundle import Bundle
from hutong.client.identity_file import AgreementHint
from hutong.client.identity_writer import IdentityMaterial, KeyPair, write_identity


def write_partner(world: World, partner: Partner, address: str, folder: Path) -> None:
    """Write the identity directory of one partner, with what its agreements let it ask."""
    organisation = partner.system_id.partition("/")[0]
    officer = world.officers[organisation]
    write_identity(
        folder,
        IdentityMaterial(
            system_id=partner.system_id,
            gateway_id=f"{HRSS}/{GATEWAY_SLUG}",
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


def hints_of(bundle: Bundle, system_id: str) -> tuple[AgreementHint, ...]:
    """Return what a system may ask, as its identity directory says."""
    return tuple(
        AgreementHint(
            number=each.number,
            dataset=each.dataset,
            matters=tuple(sorted(each.matters)),
            legal_basis=each.basis[0],
        )
        for each in bundle.list_agreements(system_id)
    )
