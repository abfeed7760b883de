"""A report of the conformance kit for people, in Chinese and English, and for machines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import typer

from adapters.conformance import (
    EXPLAINED,
    TITLES,
    Conclusion,
    Found,
    Report,
    Side,
    State,
    Tried,
    Weight,
)
from signing.encoding import JsonValue

_STATES: Final = {
    State.PASSED: "通过 passed",
    State.WARNED: "提醒 warning",
    State.UNTOLD: "不明 untold",
    State.FAILED: "不过 FAILED",
    State.SKIPPED: "未检验 not examined",
}
_SIDES: Final = {
    Side.PROVIDER: "部门一侧 the department's side",
    Side.GATEWAY: "网关一侧 the gateway's side",
    Side.SAMPLE: "样例 the sample",
    Side.ENROLMENT: "双方的登记 the registration, both sides",
}
_CONCLUSIONS: Final = {
    Conclusion.PASSED: "全部通过。 All of it passes.",
    Conclusion.FAILED: "有不过的项目，请按上面的办法改正后再运行。 "
    "Something fails: mend it as told above, and run this again.",
    Conclusion.UNTOLD: "有项目没能检验，不能说通过。 "
    "Something could not be tried: this is no pass.",
}
_MOST_PLACES: Final = 6
"""Places named for one thing that is found everywhere; `--json` has all."""


def show_report(report: Report) -> None:
    """Print a report: each case once, and each thing found in it once, with where it was found."""
    typer.echo(f"一致性检验 conformance: {report.kind}")
    for case, (zh, en) in TITLES.items():
        tried = [each for each in report.tried if each.case is case]
        if tried:
            typer.echo(f"\n{zh} · {en}\n  {_count(tried)}")
            for found, places in _gather(tried).items():
                for line in _lines(found, places):
                    typer.echo(f"    {line}")
    typer.echo(f"\n{_count(report.tried)}\n{_CONCLUSIONS[report.conclusion]}")


def _count(tried: Sequence[Tried]) -> str:
    counts = {state: sum(each.state is state for each in tried) for state in State}
    return " · ".join(f"{_STATES[state]} {count}" for state, count in counts.items() if count)


def _gather(tried: Sequence[Tried]) -> Mapping[Found, Sequence[str]]:
    """Return what was found with the places it was found in, in the order of the cases."""
    places: dict[Found, list[str]] = {}
    for each in tried:
        for found in each.found:
            places.setdefault(found, []).append(each.about)
    return places


def _lines(found: Found, places: Sequence[str]) -> Iterator[str]:
    text = EXPLAINED[found.code]
    detail = f" ({found.detail})" if found.detail else ""
    yield f"{found.code}{detail} — {_SIDES[text.side]}"
    yield f"  {text.zh}。{text.mend_zh}。"
    yield f"  {text.en}: {text.mend_en}."
    named = [place for place in places if place][:_MOST_PLACES]
    more = f" +{len(places) - len(named)}" if len(places) > len(named) > 0 else ""
    if named:
        yield f"  @ {', '.join(named)}{more}"


def report_json(report: Report) -> JsonValue:
    """Return a report for machines."""
    return {
        "kind": report.kind,
        "conclusion": report.conclusion.value,
        "cases": [_tried_json(tried) for tried in report.tried],
    }


def _tried_json(tried: Tried) -> JsonValue:
    return {
        "case": tried.case.value,
        "about": tried.about,
        "state": tried.state.value,
        "took_ms": tried.took_ms,
        "found": [_found_json(found) for found in tried.found],
    }


def _found_json(found: Found) -> JsonValue:
    text = EXPLAINED[found.code]
    return {
        "code": found.code.value,
        "detail": found.detail,
        "side": text.side.value,
        "fails": text.weight is Weight.FAILS,
        "text_zh": text.zh,
        "text_en": text.en,
        "mend_zh": text.mend_zh,
        "mend_en": text.mend_en,
    }
