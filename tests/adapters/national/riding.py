"""How tests ask the education department through the platform."""

from collections.abc import Mapping

from adapters.kinds.education import EducationAdapter
from adapters.settings import EducationConfig
from signing.encoding import JsonValue
from tests.adapters.education.asking import Asking
from tests.adapters.simulated import Simulator

APP_KEY, ACCESS_KEY = "demo-app-key-0001", "hrss-access-0001"
SIDS: Mapping[str, Mapping[str, str]] = {
    "sha256": {"/oauth2/": "s_1137000000000_0001", "/api/v1/": "s_1137000000000_0002"},
    "sm3": {"/oauth2/": "s_1137000000000_0003", "/api/v1/": "s_1137000000000_0004"},
}
"""Keyed hash → path → registered id."""
KEY: Mapping[str, str] = {"key": "key", "passphrase_file": "passphrase"}


def config_of(
    platform: Simulator,
    generation: int,
    mac: str = "sha256",
    services: Mapping[str, str] | None = None,
    **changed: JsonValue,
) -> EducationConfig:
    """Return the department's section, reached through the platform."""
    through: dict[str, JsonValue] = {
        "generation": generation,
        "base_url": platform.base_url,
        "app_key_file": "app-key",
        "mac": mac,
        "services": [{"path": path, "sid": sid} for path, sid in (services or SIDS[mac]).items()],
    }
    if generation == 2:
        through["access_key_file"] = "access-key"
    return EducationConfig.model_validate(
        {
            "record_key": KEY,
            "client_key": KEY,
            "issuer": "https://edu.sandbox.invalid",
            "client_id": "hrss-gateway",
            "through": {**through, **changed},
        }
    )


class Riding(Asking):
    """Asks the adapter about planted people; `platform` is what stands between."""

    def __init__(
        self, education: Simulator, platform: Simulator, adapter: EducationAdapter
    ) -> None:
        """Keep whom to ask."""
        super().__init__(education, adapter)
        self.platform = platform

    def seen(self, path: str = "") -> list[dict[str, str]]:
        """Return headers of each call the platform has received, by lower-case name."""
        rows = self.platform.admin("GET", "/received")["received"]
        assert isinstance(rows, list)
        seen = []
        for row in rows:
            assert isinstance(row, dict)
            assert isinstance(row["headers"], list)
            if str(row["path"]).startswith(path):
                pairs = [pair for pair in row["headers"] if isinstance(pair, list)]
                seen.append({str(name).lower(): str(text) for name, text in pairs})
        return seen
