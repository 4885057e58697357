"""Checks of the arrays that records are made of."""

import numpy as np


def check_shape(array: np.ndarray, shape: tuple, name: str) -> None:
    """Raises ValueError unless `array` has `shape`; a letter in `shape` matches any length."""
    got = np.shape(array)
    wrong = len(got) != len(shape)
    for n, m in zip(shape, got):  # a loop: a dozen checks of each sample take half the time of `any`
        wrong = wrong or (n != m and isinstance(n, int))
    if wrong:
        raise ValueError(f"{name} must have shape {shape}, but got {got}")


def check_bool(array: np.ndarray, name: str) -> None:
    """Raises ValueError unless `array` is boolean: 0 and 1 as numbers would be taken for indices."""
    if np.asarray(array).dtype != bool:
        raise ValueError(f"{name} must be boolean, but is {np.asarray(array).dtype}")
