"""Opens the way to a department that its section of the configuration names."""

from adapters.errors import AdapterMisconfigured
from adapters.kind import Means
from adapters.national.dialect import Dialect
from adapters.national.generation1 import Generation1
from adapters.national.generation2 import Generation2
from adapters.national.signature import Mac
from adapters.national.transport import NationalTransport, Services
from adapters.settings import NationalConfig, RestConfig
from adapters.transport import DepartmentTransport, TransportLimits


def open_transport(
    department: str, config: RestConfig, means: Means, limits: TransportLimits | None = None
) -> DepartmentTransport:
    """Return a transport at the department's own address, or through the national platform.

    Raises:
        AdapterMisconfigured: an address is no origin, a key file holds no key, or neither way is
            named; and what `Means` raises for a file.
    """
    if config.through is not None:
        return NationalTransport(
            department=department,
            base_url=config.through.base_url,
            limits=limits,
            dialect=_dialect(config.through, means),
            services=Services({each.path: each.sid for each in config.through.services}),
        )
    if config.base_url is None:
        raise AdapterMisconfigured(f"departments.{department}: no address")
    return DepartmentTransport(department=department, base_url=config.base_url, limits=limits)


def _dialect(config: NationalConfig, means: Means) -> Dialect:
    app_key, mac = _key(means.load_secret(config.app_key_file)), Mac(config.mac)
    if config.access_key_file is None:
        return Generation1(app_key=app_key, mac=mac, now_ms=means.now_ms)
    return Generation2(
        app_key=app_key,
        access_key=_key(means.load_secret(config.access_key_file)),
        mac=mac,
        now_ms=means.now_ms,
    )


def _key(content: bytes) -> str:
    # Visible ASCII, as the platform gives keys out: a line break at the end of a file would make
    # each signature wrong, and nobody would see why.
    text = content.decode("latin-1")
    if not text or not all("!" <= each <= "~" for each in text):
        raise AdapterMisconfigured("a key of the national platform is not visible ASCII")
    return text
