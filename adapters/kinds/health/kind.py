"""Builds the adapter of the health department from its section of the configuration."""

import re
from typing import Final

from adapters.errors import AdapterMisconfigured
from adapters.kind import Kind, Parts
from adapters.kinds.health.adapter import DATASETS, MAX_ANSWER, HealthAdapter, find_lacking
from adapters.kinds.health.identity import HealthIdentity, is_name
from adapters.limits import build_limits
from adapters.settings import HealthConfig
from adapters.transport import DepartmentTransport

# `appId`: 1 to 64 visible ASCII characters (docs/adapters/health.md 1).
_APP_ID: Final = re.compile(r"[!-~]{1,64}")


def _build(config: HealthConfig, parts: Parts) -> HealthAdapter:
    # Told at start: the department would refuse every question, and never say which setting.
    if not _APP_ID.fullmatch(config.app_id):
        raise AdapterMisconfigured("health.app_id: not 1 to 64 visible ASCII characters")
    if not is_name(config.org_name):
        raise AdapterMisconfigured("health.org_name: not 1 to 60 characters")
    return HealthAdapter(
        source=parts.source,
        datasets=parts.datasets,
        transport=DepartmentTransport(
            department="health",
            base_url=config.base_url,
            limits=build_limits(config.limits, MAX_ANSWER),
        ),
        identity=HealthIdentity(
            app_id=config.app_id,
            app_key=_read_key(parts.means.load_secret(config.app_key_file)),
            org_code=config.org_code,
            org_name=config.org_name,
        ),
        now_ms=parts.means.now_ms,
    )


def _read_key(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        # from None: the cause quotes the key.
        raise AdapterMisconfigured("health.app_key_file: not UTF-8") from None


KIND: Final = Kind(datasets=DATASETS, build=_build, find_lacking=find_lacking)
