"""Builds the adapter of the population register from its section of the configuration."""

import json
from typing import Final

from adapters.errors import AdapterMisconfigured
from adapters.kind import Kind, Parts
from adapters.kinds.public_security.adapter import DATASETS, PublicSecurityAdapter, find_lacking
from adapters.kinds.public_security.identity import ServiceIdentity
from adapters.limits import build_limits
from adapters.port import EndUser
from adapters.settings import PublicSecurityConfig
from adapters.transport import DepartmentTransport


def _build(config: PublicSecurityConfig, parts: Parts) -> PublicSecurityAdapter:
    load_secret = parts.means.load_secret
    system_user = config.system_user_file
    return PublicSecurityAdapter(
        source=parts.source,
        datasets=parts.datasets,
        transport=DepartmentTransport(
            department="public_security",
            base_url=config.base_url,
            limits=build_limits(config.limits),
        ),
        identity=ServiceIdentity(
            sid=config.sid,
            app_key=load_secret(config.app_key_file).decode("utf-8"),
            user=config.user,
            password=load_secret(config.password_file).decode("utf-8"),
            ministry=config.ministry,
            origin_system=config.origin_system,
            business_system=config.business_system,
            matter_names=parts.means.matters,
            system_user=None if system_user is None else _end_user(load_secret(system_user)),
        ),
        now_ms=parts.means.now_ms,
    )


def _end_user(content: bytes) -> EndUser:
    try:
        members = json.loads(content)
        return EndUser(
            name=str(members["name"]),
            identifier=str(members["identifier"]),
            unit=str(members["unit"]),
            unit_code=str(members["unit_code"]),
            call_reason=str(members["call_reason"]),
        )
    except (ValueError, KeyError, TypeError):
        text = "public_security.system_user_file: not the expected JSON"
        # from None: the cause would repeat what the file holds.
        raise AdapterMisconfigured(text) from None


KIND: Final = Kind(datasets=DATASETS, build=_build, find_lacking=find_lacking)
