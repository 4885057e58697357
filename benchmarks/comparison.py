"""The line that every benchmark prints: ours, the other's, their ratio and its limit."""

import os
import platform
from dataclasses import dataclass
from typing import Optional

HEADER = "| what | ours | other | ratio | limit | |\n|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Comparison:
    """One measured thing beside another, or beside a fixed amount.

    Attributes:
        what: what was measured.
        ours: our amount; less is better.
        other: the other's amount, same unit; None: there is nothing to compare with, and `limit` is an amount.
        beside: whose amount `other` is.
        limit: of ours / other, or of ours where there is no other; None: nothing is demanded.
        unit: of the amounts.
    """

    what: str
    ours: float
    other: Optional[float] = None
    beside: str = ""
    limit: Optional[float] = None
    unit: str = "ms"

    @property
    def measure(self) -> float:
        """What `limit` limits: the ratio, or our amount."""
        return self.ours if self.other is None else self.ours / self.other

    @property
    def row(self) -> str:
        """A row of a Markdown table, under HEADER."""
        other = "" if self.other is None else f"{self.beside} {_three_digits(self.other)} {self.unit}"
        ratio = "" if self.other is None else f"{self.measure:.2f}"
        limit = "" if self.limit is None else f"{self.limit:g}" + (f" {self.unit}" if self.other is None else "")
        verdict = "" if self.limit is None else "met" if self.measure <= self.limit else "**missed**"
        ours = f"{_three_digits(self.ours)} {self.unit}"
        return f"| {self.what} | {ours} | {other} | {ratio} | {limit} | {verdict} |"


def _three_digits(amount: float) -> str:
    return f"{amount:.3g}" if amount < 999.5 else f"{amount:.0f}"


def print_table(rows: list[Comparison]) -> None:
    """Prints them below what they were measured on."""
    print(f"\n{machine()}\n\n{HEADER}\n" + "\n".join(row.row for row in rows), flush=True)


def machine() -> str:
    """Processor, cores and load."""
    model, wide = platform.processor() or platform.machine(), ""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            facts = file.read()
        model = next(
            (line.split(":")[1].strip() for line in facts.splitlines() if line.startswith("model name")), model
        )
        wide = ", AVX-512" if "avx512f" in facts else ", without AVX-512"
    except OSError:
        pass
    return f"{model}{wide}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
