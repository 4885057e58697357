"""What is said of the numbers in a checkpoint."""

import numpy as np

from paddle_pose.conversion.match import Match
from paddle_pose.conversion.report import dtype_line, not_finite


def numbers(kind):
    return np.random.RandomState(0).standard_normal(20).astype(kind)


def as_bfloat16(array):
    """What is left of float32 numbers in bfloat16: their upper halves."""
    return (array.view(np.uint32) & 0xFFFF0000).view(np.float32)


def test_one_kind():
    assert dtype_line({"a": numbers("float32"), "b": np.ones(3, "float32")}) == "numbers: float32"


def test_mixed_kinds_are_named_and_counted():
    entries = {"a": numbers("float16"), "b": numbers("float16"), "c": as_bfloat16(numbers("float32"))}
    entries["d"] = numbers("float64")
    said = "numbers: float16 (2 entries), bfloat16 (1 entries), float64 (1 entries); converted to float32"
    assert dtype_line(entries) == said


def test_float32_that_is_the_same_throughout_is_not_taken_for_bfloat16():
    assert dtype_line({"ones": np.ones(8, "float32"), "zeros": np.zeros(8, "float32")}) == "numbers: float32"


def test_what_overflows_on_conversion_is_not_finite():
    with np.errstate(over="ignore"):
        wide = np.array([1e300]).astype("float32")
    found = Match(found={"ours": wide, "good": np.ones(1)}, keys={"ours": "theirs", "good": "g"})
    assert not_finite(found) == ["theirs"]
