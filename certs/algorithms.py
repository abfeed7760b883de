"""What other packages use of keys and suites, under one name.

The table is in `suites`, the keys in `public_key` and `private_key`, the two spellings of a
signature in `signature_format`.
"""

from certs.private_key import PrivateKey, generate_private_key, load_private_key
from certs.public_key import PublicKey, parse_public_key, suite_of, verify_signature
from certs.signature_format import encode_der_signature, parse_der_signature
from certs.suites import ALGORITHMS, Algorithm, AlgorithmName, Suite

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "AlgorithmName",
    "PrivateKey",
    "PublicKey",
    "Suite",
    "encode_der_signature",
    "generate_private_key",
    "load_private_key",
    "parse_der_signature",
    "parse_public_key",
    "suite_of",
    "verify_signature",
]
