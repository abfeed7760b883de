"""What a system may ask, as its identity directory says for convenience."""

from gateway.policy.bundle import Bundle
from hutong.client.identity_file import AgreementHint


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
