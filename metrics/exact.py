"""Exact amounts: whole units that are told as decimal numbers."""

DIGITS = 18  # of wei in ETH, and of LPTU in LPT
UNIT: int = 10**DIGITS


def decimal_text(units: int) -> str:
    """Units (wei, LPTU) as a plain decimal number of the whole (ETH, LPT), exactly and without needless zeros."""
    whole, rest = divmod(units, UNIT)
    return f"{whole}.{rest:0{DIGITS}}".rstrip("0").rstrip(".")
