import math

import numpy as np

from paddle_pose.metrics.report import eval_line, format_table
from paddle_pose.samples import Report

REPORT = Report(
    values={"Mean": 88.71714806141036, "Ankle": np.float64(100) / 3, "Mean@0.1": 32.0, "Wrist": math.nan},
    rows={"Ankle": {"@0.5": 100 / 3, "@0.1": 5.0}, "Wrist": {"@0.5": math.nan, "@0.1": 100.0}},
    rules="distance <= 0.5",
)


def test_eval_line_is_alphabetical_and_keeps_every_digit():
    assert eval_line(REPORT) == ("[EVAL] Ankle=33.333333333333336 Mean=88.71714806141036 Mean@0.1=32.0 Wrist=nan")


def test_eval_line_reads_back_to_the_same_floats():
    read = dict(pair.split("=") for pair in eval_line(REPORT).split()[1:])
    assert float(read["Ankle"]) == REPORT.values["Ankle"]


def test_table_is_aligned_and_ends_with_the_rules():
    assert format_table(REPORT).splitlines() == [
        "        @0.5    @0.1",
        "Ankle  33.33    5.00",
        "Wrist      -  100.00",
        "distance <= 0.5",
    ]
