"""A plain department and an adapter that asks it."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from adapters.kinds.tax import TaxAdapter
from adapters.kinds.tax.envelope import Head, TaxIdentity
from adapters.kinds.tax.sftp import SftpTransport, build_access
from adapters.port import Outcome, Query, Untold
from adapters.records import RecordSource
from adapters.transport import TransportLimits
from tests.adapters.asking import IS_TRUE, NOW_MS, disclosed, query_of
from tests.adapters.tax.asking import CLIENT_NO, CONTRIBUTION, DATASETS, LAST, Keys
from tests.adapters.tax.plain_server import Plain, Say
from tests.adapters.tax.replies import KEY

PERSON = ("370203198806019000", "赵晓岚")
RECORD = json.dumps(
    {
        "JLDM": "0000",
        "JLXX": "ok",
        "ZJHM": PERSON[0],
        "XM": PERSON[1],
        "ZXQQ": "202511",
        "ZXQZ": "202610",
        "JFMX": [
            {
                "SSQ": "202610",
                "XZ": "110",
                "JFJS": "100.00",
                "DWJE": "10.00",
                "GRJE": "5.00",
                "RKRQ": "20261021",
                "SPHM": "3" * 18,
                "LXDM": "1",
            }
        ],
    },
    ensure_ascii=False,
).encode()
PARTS = [("1", RECORD)]
SUM = "15.00"
YES = {"paid_in_period": "YES"}


def about(seconds: float = 3.0, name: str = PERSON[1]) -> Query:
    """Ask whether the last period was paid for the one person there is."""
    return query_of(CONTRIBUTION, (PERSON[0], name), {"paid_in_period": IS_TRUE}, LAST, seconds)


def answered(plain: Plain, name: str, head: Head) -> None:
    """Answer as an honest department does."""
    plain.acknowledge(name, head)
    plain.answer(name, head, PARTS, SUM)


Open = Callable[[Say], AbstractAsyncContextManager["Office"]]
"""Opens a department that answers in a certain way."""


class Office:
    """A plain department and an adapter that asks it."""

    def __init__(self, plain: Plain, keys: Keys, source: RecordSource) -> None:
        self.plain = plain
        self.ahead_s = 0.0
        self.transport = SftpTransport(
            build_access(
                base_url=f"sftp://127.0.0.1:{plain.port}",
                user="hrss",
                host_key=keys.host_key,
                login_key=keys.login_key,
                passphrase=keys.passphrase,
            ),
            TransportLimits(),
            self.now,
        )
        self.adapter = TaxAdapter(
            source=source,
            datasets=DATASETS,
            transport=self.transport,
            identity=TaxIdentity(client_no=CLIENT_NO, supplier="test", sign_key=KEY),
            now_ms=lambda: NOW_MS,
            clock=self.now,
        )

    def now(self) -> float:
        """Return the adapter's time, which a test may put forward."""
        return time.monotonic() + self.ahead_s

    async def ask(self, query: Query | None = None) -> tuple[Outcome, object]:
        """Return the outcome and what was disclosed."""
        asked = query or about()
        outcome = await self.adapter.fetch(asked)
        return outcome, None if isinstance(outcome, Untold) else disclosed(asked, outcome)
