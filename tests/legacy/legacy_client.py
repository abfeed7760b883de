"""A foreign client of the legacy face: httpx and hmac, written from the page, no line of ours."""

import base64
import hashlib
import hmac
import ssl
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

LEGACY = "11370000MB2DEM0105/recertification"
ORDINARY = "11370000MB2DEM0105/retirement"
OTHER, OTHER_SID = "11370000MB2DEM0105/payment", "s_1137000000000_0002"
SID, APP_KEY = "s_1137000000000_0001", "demo-app-key-0001"


@dataclass(slots=True, kw_only=True)
class LegacyClient:
    """A system that signs nothing."""

    http: httpx.Client
    now_ms: int = 0
    key: str = ""

    @classmethod
    def open(cls, port: int, identity: Path | None, authority: Path) -> "LegacyClient":
        """Connect as whoever the certificate names."""
        context = ssl.create_default_context(cafile=str(authority))
        # The sandbox's certificate names localhost; the address is a loopback one.
        context.check_hostname = False
        if identity is not None:
            context.load_cert_chain(identity)
        return cls(
            http=httpx.Client(
                base_url=f"https://127.0.0.1:{port}", verify=context, trust_env=False, timeout=30
            )
        )

    def values(self, key: str, **changed: str) -> dict[str, str]:
        """Compose the four values; changed ones are signed as they are."""
        four = {"rid": uuid4().hex, "sid": SID, "rtime": str(self.now_ms), **changed}
        text = four["sid"] + four["rid"] + four["rtime"]
        four.setdefault("sign", sign(key, text))
        return {f"gjgxjhpt_{name}": value for name, value in four.items()}

    def refresh(self, **changed: str) -> dict[str, object]:
        """Fetch a secret; the key of a good answer is kept."""
        answer: dict[str, object] = self.http.post(
            "/gjgxjhpt/secret", json=self.values(APP_KEY, **changed)
        ).json()
        data = answer["data"]
        if answer["code"] == "0":
            assert isinstance(data, dict)
            self.key = decrypt(data["secret"])
        return answer

    def ask(
        self, body: object, service: str = "deceased", **changed: str
    ) -> tuple[str, dict[str, object]]:
        """Ask a service; return the code and what comes with it."""
        values = self.values(self.key, **changed)
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        reply = self.http.post(f"/gjgxjhpt/rest/{service}", headers=values, **content)
        answer = reply.json()
        assert reply.status_code == 200
        assert reply.headers["gjgxjhpt_code"] == answer["code"]
        assert isinstance(answer["data"], dict)
        return answer["code"], answer["data"]


def sign(key: str, text: str, name: str = "sha256") -> str:
    """Compute base64(HMAC) with OpenSSL's hash of that name."""
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), name)).decode()


def decrypt(secret: str) -> str:
    """Read a secret: AES-256-CBC under SHA-256(appKey), IV first."""
    raw = base64.b64decode(secret, validate=True)
    key = hashlib.sha256(APP_KEY.encode()).digest()
    decryptor = Cipher(algorithms.AES(key), modes.CBC(raw[:16])).decryptor()
    padded = decryptor.update(raw[16:]) + decryptor.finalize()
    return padded[: -padded[-1]].decode()
