"""The system's libcrypto, bound for SM2 and nothing else.

`cryptography` bundles an OpenSSL that it does not let out and has no SM2; the distribution's
libcrypto.so.3 has it and gets security updates. The binding is cffi in ABI mode: no compiler, no
wheel of ours.
Knows no certificate, no envelope and no signer identifier.
INVARIANT: pointers that libcrypto gives us to own are wrapped with their release function at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from cffi import FFI

from certs.errors import AlgorithmUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from _cffi_backend import Lib

LIBRARY_NAME: Final = "libcrypto.so.3"

CData: TypeAlias = "FFI.CData"
FOREIGN: Final = FFI()
FOREIGN.cdef(
    """
    typedef ... EVP_PKEY;
    typedef ... EVP_PKEY_CTX;
    typedef ... EVP_MD_CTX;
    typedef ... EVP_MD;
    typedef ... BIO;
    typedef ... PKCS8_PRIV_KEY_INFO;
    unsigned long OpenSSL_version_num(void);
    const char *OpenSSL_version(int type);
    void ERR_clear_error(void);
    const EVP_MD *EVP_sm3(void);
    EVP_PKEY *d2i_PUBKEY(EVP_PKEY **a, const unsigned char **in, long length);
    int i2d_PUBKEY(EVP_PKEY *a, unsigned char **out);
    EVP_PKEY *d2i_AutoPrivateKey(EVP_PKEY **a, const unsigned char **in, long length);
    BIO *BIO_new_mem_buf(const void *buf, int len);
    int BIO_free(BIO *a);
    EVP_PKEY *d2i_PKCS8PrivateKey_bio(BIO *bio, EVP_PKEY **x, void *callback, void *u);
    EVP_PKEY *EVP_PKEY_Q_keygen(void *ctx, const char *propq, const char *type, ...);
    int EVP_PKEY_is_a(const EVP_PKEY *pkey, const char *name);
    void EVP_PKEY_free(EVP_PKEY *pkey);
    PKCS8_PRIV_KEY_INFO *EVP_PKEY2PKCS8(const EVP_PKEY *pkey);
    int i2d_PKCS8_PRIV_KEY_INFO(PKCS8_PRIV_KEY_INFO *a, unsigned char **out);
    void PKCS8_PRIV_KEY_INFO_free(PKCS8_PRIV_KEY_INFO *a);
    EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *pkey, void *e);
    void EVP_PKEY_CTX_free(EVP_PKEY_CTX *ctx);
    int EVP_PKEY_CTX_set1_id(EVP_PKEY_CTX *ctx, const void *id, size_t len);
    EVP_MD_CTX *EVP_MD_CTX_new(void);
    void EVP_MD_CTX_free(EVP_MD_CTX *ctx);
    void EVP_MD_CTX_set_pkey_ctx(EVP_MD_CTX *ctx, EVP_PKEY_CTX *pctx);
    int EVP_DigestVerifyInit(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pctx, const EVP_MD *type, void *e,
                             EVP_PKEY *pkey);
    int EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t siglen,
                         const unsigned char *tbs, size_t tbslen);
    int EVP_DigestSignInit(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pctx, const EVP_MD *type, void *e,
                           EVP_PKEY *pkey);
    int EVP_DigestSign(EVP_MD_CTX *ctx, unsigned char *sig, size_t *siglen,
                       const unsigned char *tbs, size_t tbslen);
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibCrypto:
    """An opened libcrypto; its functions are called by their C names."""

    _library: Lib = field(repr=False)

    @property
    def text(self) -> str:
        """Return the library's own name and version."""
        text = FOREIGN.string(self.pointer("OpenSSL_version", 0))
        return text.decode("ascii") if isinstance(text, bytes) else text

    @property
    def version(self) -> tuple[int, int, int]:
        """Return major, minor, patch: OPENSSL_VERSION_NUMBER is 0xMNN00PP0."""
        number = self.integer("OpenSSL_version_num")
        return number >> 28, number >> 20 & 0xFF, number >> 4 & 0xFF

    def pointer(self, name: str, *arguments: CData | bytes | int) -> CData:
        """Call a function that returns a pointer, which may be NULL."""
        function: Callable[..., CData] = getattr(self._library, name)
        return function(*arguments)

    def integer(self, name: str, *arguments: CData | bytes | int) -> int:
        """Call a function that returns an int."""
        function: Callable[..., int] = getattr(self._library, name)
        return function(*arguments)

    def run(self, name: str, *arguments: CData) -> None:
        """Call a function that returns nothing."""
        function: Callable[..., None] = getattr(self._library, name)
        function(*arguments)

    def owned(self, pointer: CData, release: str) -> CData:
        """Tie a pointer to the function that frees it."""
        function: Callable[[CData], None] = getattr(self._library, release)
        owned: CData = FOREIGN.gc(pointer, function)
        return owned


def open_library(name: str) -> LibCrypto:
    """Open a libcrypto by its file name.

    Raises:
        AlgorithmUnavailable: there is no such library, or it is not an OpenSSL.
    """
    try:
        library = LibCrypto(_library=FOREIGN.dlopen(name))
        library.integer("OpenSSL_version_num")
    except (OSError, AttributeError) as cause:
        raise AlgorithmUnavailable(f"{name} cannot be opened") from cause
    return library
