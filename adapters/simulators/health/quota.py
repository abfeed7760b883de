"""How many calls each requester has left in this second (manual, section 2)."""

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Quota:
    """A fixed window of one second by the department's clock."""

    per_second: int
    second: int = 0
    taken: dict[str, int] = field(default_factory=dict)

    def take(self, app_id: str, now_ms: int) -> bool:
        """Count one call; False when none was left. A limit of 0 is none."""
        if self.second != now_ms // 1000:
            self.second = now_ms // 1000
            self.taken.clear()
        self.taken[app_id] = self.taken.get(app_id, 0) + 1
        return self.per_second == 0 or self.taken[app_id] <= self.per_second
