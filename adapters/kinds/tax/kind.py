"""Builds the adapter of the tax department from its section of the configuration."""

import re
from typing import Final

from adapters.errors import AdapterMisconfigured
from adapters.kind import Kind, Parts
from adapters.kinds.tax.adapter import DATASETS, TaxAdapter, find_lacking
from adapters.kinds.tax.envelope import TaxIdentity
from adapters.kinds.tax.sftp import SftpTransport, build_access
from adapters.settings import TaxConfig

# Section 8: what the department registers; the number also stands in the names of files.
_CLIENT_NO: Final = re.compile(r"[0-9A-Z]{4,20}")
_MIN_KEY: Final = 16
_MAX_SUPPLIER: Final = 64


def _build(config: TaxConfig, parts: Parts) -> TaxAdapter:
    load_secret = parts.means.load_secret
    sign_key = load_secret(config.sign_key_file)
    if not _CLIENT_NO.fullmatch(config.client_no):
        raise AdapterMisconfigured("tax.client_no: 4 to 20 digits and capital letters")
    if len(sign_key.decode("utf-8", "replace")) < _MIN_KEY:
        raise AdapterMisconfigured("tax.sign_key_file: fewer than 16 characters")
    if not 1 <= len(config.supplier) <= _MAX_SUPPLIER:
        raise AdapterMisconfigured("tax.supplier: 1 to 64 characters")
    access = build_access(
        base_url=config.base_url,
        user=config.user,
        host_key=config.host_key,
        login_key=load_secret(config.login_key.key),
        passphrase=load_secret(config.login_key.passphrase_file),
    )
    return TaxAdapter(
        source=parts.source,
        datasets=parts.datasets,
        transport=SftpTransport(access),
        identity=TaxIdentity(
            client_no=config.client_no, supplier=config.supplier, sign_key=sign_key
        ),
        now_ms=parts.means.now_ms,
    )


KIND: Final = Kind(datasets=DATASETS, build=_build, find_lacking=find_lacking)
