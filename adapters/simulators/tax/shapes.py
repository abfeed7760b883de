"""Records of the department as JSON (docs/adapters/tax.md, sections 6.1 to 6.3)."""

from adapters.simulators.population import Person
from adapters.simulators.population.divisions import DIVISIONS
from adapters.simulators.population.incomes import IncomeTax
from adapters.simulators.population.tax_contributions import Contribution
from adapters.simulators.population.taxpayers import Taxpayer
from adapters.simulators.tax.money import yuan

Json = str | int | list["Json"] | dict[str, "Json"]
Members = dict[str, Json]


def write_contribution(person: Person, entry: Contribution) -> Json:
    """Write an entry of `JFMX`."""
    written: dict[str, Json] = {
        "SSQ": entry.period,
        "XZ": entry.insurance_kind,
        "JFJS": yuan(entry.base_amount),
        "DWJE": yuan(entry.paid_unit),
        "GRJE": yuan(entry.paid_person),
        "RKRQ": f"{entry.paid_date:%Y%m%d}",
        "SPHM": entry.voucher_no,
        "LXDM": entry.entry,
        "ZSJG": f"国家税务总局{DIVISIONS[person.division]}税务局",
    }
    if entry.payer is not None:
        written |= {"JKRSBH": entry.payer.uscc, "JKRMC": entry.payer.name}
    return written


def write_income(found: IncomeTax, before: IncomeTax | None) -> Members:
    """Write a year of income, with the year before it."""
    return {
        "ND": found.tax_year,
        "SRDC": found.income_band,
        "SRHJ": yuan(found.gross),
        "YNSSDE": yuan(found.taxable_income),
        "YKJSE": yuan(found.tax),
        "KJYWRSBH": found.withholding_agent,
        "KJYWRMC": found.agent_name,
        "SRMX": [
            {
                "SSQ": month.period,
                "SDXM": month.item,
                "SRE": yuan(month.amount),
                "KJYWRSBH": found.withholding_agent,
            }
            for month in found.months
        ],
        "QTND": [
            {
                "ND": other.tax_year,
                "SRHJ": yuan(other.gross),
                "YNSSDE": yuan(other.taxable_income),
            }
            for other in ([before] if before else [])
        ],
    }


def write_taxpayer(found: Taxpayer) -> Members:
    """Write a taxpayer; who is not graded has no grade."""
    written: Members = {
        "NSRSBH": found.taxpayer_id,
        "NSRMC": found.name,
        "DJXH": found.registration_no,
        "DJRQ": f"{found.registered:%Y%m%d}",
        "NSRZT_DM": found.taxpayer_state,
        "QSBZ": "Y" if found.in_arrears else "N",
        "QSJE": yuan(found.arrears),
        "XWQYBZ": "Y" if found.is_micro else "N",
        "CYRS": found.staff,
    }
    return written | ({"NSXYJB": found.credit_grade} if found.credit_grade else {})
