"""SM2 signatures (GB/T 32918.2-2016) over the system's libcrypto.

`health` decides whether this machine has SM2, `keys` signs and verifies, `library` is the binding.
"""
