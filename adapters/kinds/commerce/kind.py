"""Builds the adapter of the commerce register from its section of the configuration."""

from typing import Final

from adapters.errors import AdapterMisconfigured
from adapters.kind import Kind, Parts
from adapters.kinds.commerce.adapter import DATASETS, MAX_BODY, CommerceAdapter, find_lacking
from adapters.kinds.commerce.signature import ApiKey
from adapters.limits import build_limits
from adapters.settings import CommerceConfig
from adapters.transport import DepartmentTransport


def _build(config: CommerceConfig, parts: Parts) -> CommerceAdapter:
    load_secret = parts.means.load_secret
    return CommerceAdapter(
        source=parts.source,
        datasets=parts.datasets,
        transport=DepartmentTransport(
            department="commerce",
            base_url=config.base_url,
            limits=build_limits(config.limits, MAX_BODY),
        ),
        key=ApiKey(
            key_id=config.key_id,
            secret=load_secret(config.secret_file),
            authcode=_text(load_secret(config.authcode_file)),
        ),
        now_ms=parts.means.now_ms,
    )


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        # from None: the cause quotes what the file holds.
        raise AdapterMisconfigured("commerce.authcode_file: not UTF-8") from None


KIND: Final = Kind(datasets=DATASETS, build=_build, find_lacking=find_lacking)
