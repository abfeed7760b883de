"""What the access log raises.

    AccessLogError
    ├── EntryMalformed     a draft breaks the table of its kind: a fault of the code that made it
    ├── ClaimTaken         somebody holds the (space, key): nothing of this draft was written
    ├── ChargeRefused      the counter's limit would be exceeded: nothing of this draft was written
    ├── AskAnswered        an answer names an ask that has one: nothing of this draft was written
    ├── LogUnavailable     not durable: do not act, do not release (a Fault of ours)
    │   └── ClockBackwards the clock went back further than may be smoothed over
    ├── LogCorrupted       what is stored contradicts what was signed: an operator must look
    ├── LogRefused         another origin, key, format or process: this file is not ours to write
    │   └── LogHeld        another process writes it: ask that one
    ├── OutOfRange         no such index or tree size
    ├── NotLogged          a look at entries without an entry of its own
    └── EpochKeyError      the file of token keys cannot be used

Texts name positions and codes, never a value of an entry.
"""


class AccessLogError(Exception):
    """Base of everything this package raises."""


class EntryMalformed(AccessLogError):
    """A draft does not fit the table of its kind; names the member."""


class ClaimTaken(AccessLogError):
    """The claimed key is held; `existing` is the value it was claimed with."""

    def __init__(self, *, space: str, existing: bytes) -> None:
        super().__init__(f"a claim in space {space} is taken")
        self.space = space
        self.existing = existing


class ChargeRefused(AccessLogError):
    """A calendar counter would exceed its limit; `used` is what it holds."""

    def __init__(self, *, counter: bytes, period: str, used: int) -> None:
        super().__init__(f"a counter of period {period} would exceed its limit")
        self.counter = counter
        self.period = period
        self.used = used


class AskAnswered(AccessLogError):
    """The ask that an answer names has its answer, or there is none such; `ask` is its place."""

    def __init__(self, *, ask: int) -> None:
        super().__init__(f"no ask at {ask} waits for an answer")
        self.ask = ask


class LogUnavailable(AccessLogError):
    """The entry is not known to be durable; whoever asked for it must not go on."""


class ClockBackwards(LogUnavailable):
    """The clock is further behind the last entry than may be smoothed over."""

    def __init__(self) -> None:
        super().__init__("the clock went back")


class LogCorrupted(AccessLogError):
    """Stored entries do not yield the signed tree; `first` to `last` is where to look."""

    def __init__(self, what: str, *, first: int, last: int) -> None:
        super().__init__(f"{what} (entries {first} to {last})")
        self.first = first
        self.last = last


class LogRefused(AccessLogError):
    """This file must not be written: another origin, key, format or process."""


class LogHeld(LogRefused):
    """Another process writes this log."""


class OutOfRange(AccessLogError):
    """The index or tree size asked for lies outside the log."""


class NotLogged(AccessLogError):
    """A permit was used twice or names no entry of this log: log the look first."""


class EpochKeyError(AccessLogError):
    """The file of token keys is missing, unreadable, or lacks the epoch asked for."""
