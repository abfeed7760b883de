"""Every error that leaves this package, as one tree.

    ClientError
    ├── IdentityRefused    the identity directory cannot be used; `.reason`
    ├── NotWritten         a file could not be written; says nothing of any question; `.reason`
    ├── QuestionRefused    the question cannot be sent: nothing left this machine; `.reason`
    ├── Refused            the gateway refused; proven where a receipt is due
    ├── Fault              no answer came back; `.reason`
    └── Unproven           something came back that is not proven; `.reason`; nothing of it is given

Each says whose `side` it lies on and, in `text_zh` and `text_en`, what is wrong and what to do.
INVARIANT: texts name rules, reasons and files, never a value out of a message.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hutong.client.reasons import ClientReason
from hutong.client.texts import REASON_TEXTS

if TYPE_CHECKING:
    from hutong.client.answers import Receipt


class ClientError(Exception):
    """Base of every error of this package."""


class _Reasoned(ClientError):
    """An error of our own, with one reason of the closed list."""

    def __init__(self, reason: ClientReason, detail: str = "") -> None:
        """Keep the closed reason, and what it is about: a rule, a file, a code of gRPC."""
        text = REASON_TEXTS[reason]
        about = f" [{detail}]" if detail else ""
        super().__init__(f"{reason} ({text.side}): {text.zh} / {text.en}{about}")
        self.reason = reason
        self.detail = detail

    @property
    def side(self) -> str:
        """Whose side it lies on: requester, gateway or provider."""
        return REASON_TEXTS[self.reason].side

    @property
    def text_zh(self) -> str:
        """What is wrong and the remedy, in Chinese."""
        return REASON_TEXTS[self.reason].zh

    @property
    def text_en(self) -> str:
        """What is wrong and the remedy, in English."""
        return REASON_TEXTS[self.reason].en


class IdentityRefused(_Reasoned):
    """The identity directory is absent, readable by others, incomplete or inconsistent."""


class NotWritten(_Reasoned):
    """A file of this user's could not be written, whatever became of a question before it."""


class QuestionRefused(_Reasoned):
    """The question is not well formed; nothing was sent."""


class Unproven(_Reasoned):
    """What came back does not prove that it is the gateway's answer to this question."""


# No subclass of TimeoutError or ConnectionError: whoever catches those for other reasons must not
# take a lost answer for one that can be asked for again without thought.
class Fault(_Reasoned):
    """No answer came back; the question may or may not have been executed."""

    def __init__(self, reason: ClientReason, code: str = "") -> None:
        """Keep the closed reason and the gRPC code, or the gateway's reason of a limit."""
        super().__init__(reason, code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalTold:
    """What a refusal says; `receipt` is absent only for the reasons that allow it."""

    reason: str
    """Machine reason of the gateway's closed list (docs/reasons.md), e.g. `NOTHING_GRANTED`."""
    side: str
    text_zh: str
    text_en: str
    retry_after_s: float | None
    signed: bool
    request_id: bytes
    item: int = 0
    receipt: "Receipt | None" = field(default=None, repr=False)


class Refused(ClientError):
    """The gateway refused the question; `told` says why, for people in two languages."""

    def __init__(self, told: RefusalTold) -> None:
        """Keep what the refusal says."""
        super().__init__(f"{told.reason} ({told.side}): {told.text_zh} / {told.text_en}")
        self.told = told

    @property
    def reason(self) -> str:
        """Machine reason of the gateway's closed list."""
        return self.told.reason

    @property
    def side(self) -> str:
        """Whose side it lies on: requester, gateway, provider or trust."""
        return self.told.side

    @property
    def text_zh(self) -> str:
        """What was refused and the remedy, in Chinese."""
        return self.told.text_zh

    @property
    def text_en(self) -> str:
        """What was refused and the remedy, in English."""
        return self.told.text_en

    @property
    def retry_after_s(self) -> float | None:
        """Seconds after which another attempt makes sense; None means never with these bytes."""
        return self.told.retry_after_s

    @property
    def receipt(self) -> "Receipt | None":
        """The proof that the refusal was logged."""
        return self.told.receipt
