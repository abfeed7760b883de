"""The client's side of TLS towards departments, one for every kind that speaks HTTP.

INVARIANT: nothing is read from the environment: SSLKEYLOGFILE would write the keys of every
connection to a file, and SSL_CERT_FILE and SSL_CERT_DIR would name whom to trust.
"""

import ssl
from pathlib import Path


def build_client_tls(authorities: Path | None = None) -> ssl.SSLContext:
    """Return a context that proves whom it speaks to, TLS 1.2 at least.

    `authorities`: PEM of whom to trust; None: whom the operating system trusts.

    Raises:
        OSError: `authorities` cannot be read, or holds none (ssl.SSLError).
    """
    # Not `ssl.create_default_context`, which aiohttp takes as well: it honours SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities is not None:
        context.load_verify_locations(cafile=authorities)
        return context
    # The places built into OpenSSL, and not those of `load_default_certs`, which asks the
    # environment first. Where neither is there, nobody is trusted.
    places = ssl.get_default_verify_paths()
    if Path(places.openssl_cafile).is_file():
        context.load_verify_locations(cafile=places.openssl_cafile)
    if Path(places.openssl_capath).is_dir():
        context.load_verify_locations(capath=places.openssl_capath)
    return context
