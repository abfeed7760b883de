"""Builds the adapter of the education department from its section of the configuration."""

from typing import Final

from adapters.kind import Kind, Parts
from adapters.kinds.education.adapter import DATASETS, EducationAdapter, find_lacking
from adapters.kinds.education.token import ClientIdentity
from adapters.limits import build_limits
from adapters.settings import EducationConfig
from adapters.transport import DepartmentTransport


def _build(config: EducationConfig, parts: Parts) -> EducationAdapter:
    return EducationAdapter(
        source=parts.source,
        datasets=parts.datasets,
        transport=DepartmentTransport(
            department="education",
            base_url=config.base_url,
            limits=build_limits(config.limits),
        ),
        identity=ClientIdentity(
            client_id=config.client_id,
            issuer=config.issuer,
            signer=parts.means.load_signer(config.client_key),
        ),
        now_ms=parts.means.now_ms,
    )


KIND: Final = Kind(datasets=DATASETS, build=_build, find_lacking=find_lacking)
