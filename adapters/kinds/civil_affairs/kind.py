"""Builds the adapter of civil affairs from its section of the configuration."""

import ssl
from typing import Final

from adapters.errors import AdapterMisconfigured
from adapters.kind import Kind, Parts
from adapters.kinds.civil_affairs.adapter import DATASETS, CivilAffairsAdapter, find_lacking
from adapters.kinds.civil_affairs.front_end import VIEWS, FrontEnd, FrontEndAddress
from adapters.kinds.civil_affairs.live import MAX_BODY, LiveCheck
from adapters.kinds.civil_affairs.platform import PlatformIdentity
from adapters.kinds.civil_affairs.poller import Poller
from adapters.limits import build_limits
from adapters.settings import CivilAffairsConfig
from adapters.transport import DepartmentTransport

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def _build(config: CivilAffairsConfig, parts: Parts) -> CivilAffairsAdapter:
    load_secret, now_ms = parts.means.load_secret, parts.means.now_ms
    transport = DepartmentTransport(
        department="civil_affairs",
        base_url=config.base_url,
        limits=build_limits(config.limits, MAX_BODY),
    )
    identity = PlatformIdentity(
        sid=config.sid,
        access_key=load_secret(config.access_key_file).decode("utf-8"),
        app_key=load_secret(config.app_key_file).decode("utf-8"),
    )
    return CivilAffairsAdapter(
        source=parts.source,
        datasets=parts.datasets,
        live=LiveCheck(transport, identity, now_ms),
        poller=_build_poller(config, parts),
    )


def _build_poller(config: CivilAffairsConfig, parts: Parts) -> Poller | None:
    if config.front_end is None or not config.front_end_datasets:
        return None
    host, _, port = config.front_end.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise AdapterMisconfigured("civil_affairs.front_end must be host and port")
    if config.front_end_user is None or config.front_end_password_file is None:
        raise AdapterMisconfigured("civil_affairs.front_end needs its user and password_file")
    address = FrontEndAddress(
        host=host.strip("[]"),
        port=int(port),
        database=config.front_end_database,
        user=config.front_end_user,
        password=parts.means.load_secret(config.front_end_password_file).decode("utf-8"),
        tls=_build_tls(config, host.strip("[]")),
    )
    return Poller(
        FrontEnd(address),
        # In the order of the configuration, each once.
        dict.fromkeys(VIEWS[dataset] for dataset in config.front_end_datasets),
        now_ms=parts.means.now_ms,
        interval_s=config.front_end_interval_s,
    )


def _build_tls(config: CivilAffairsConfig, host: str) -> ssl.SSLContext | None:
    """Return what proves the database; None on the loopback where no authority is named."""
    if config.front_end_ca_file is None and host in _LOOPBACK:
        return None
    try:
        context = ssl.create_default_context(cafile=config.front_end_ca_file)
    except OSError:
        # from None: the cause repeats the path only.
        raise AdapterMisconfigured("civil_affairs.front_end_ca_file cannot be read") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


# Section 3.4: of another name the live check tells what it tells of nobody.
KIND: Final = Kind(
    datasets=DATASETS, build=_build, find_lacking=find_lacking, names_unseen=DATASETS
)
