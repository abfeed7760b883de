"""Amounts as the department writes them."""


def yuan(cents: int) -> str:
    """Write cents as yuan with two decimals, a minus before what is negative."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
