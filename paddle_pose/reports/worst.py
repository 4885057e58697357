"""Whom it went worst with. Pure functions on `Pairs`; rows come worst first, ties in the order of the dataset."""

import numpy as np

from paddle_pose.reports.pairs import Pairs


def mean_errors(pairs: Pairs) -> np.ndarray:
    """(N,) mean error of the counted joints that were found; NaN where there are none."""
    errors = np.where(pairs.counted, pairs.errors, np.nan)
    known = ~np.isnan(errors)
    totals, counts = np.where(known, errors, 0.0).sum(axis=1), known.sum(axis=1)
    return np.divide(totals, counts, out=np.full(len(pairs), np.nan), where=counts > 0)


def missed_joints(pairs: Pairs) -> np.ndarray:
    """(N,) number of counted joints beyond the threshold or not found."""
    return (pairs.counted & ~pairs.correct).sum(axis=1)


def worst_by_error(pairs: Pairs, count: int) -> np.ndarray:
    """Rows of the largest mean errors, `count` at most."""
    errors = mean_errors(pairs)
    rows = np.argsort(-np.where(np.isnan(errors), -np.inf, errors), kind="stable")[:count]
    return rows[~np.isnan(errors[rows])]


def worst_by_misses(pairs: Pairs, count: int, but: np.ndarray) -> np.ndarray:
    """Rows of the most missed joints, at equal numbers the larger mean error first; those of `but` left out.

    People of whom nothing was found are left out too: there is nothing to see of them.
    """
    errors, missed = mean_errors(pairs), missed_joints(pairs)
    rows = np.lexsort((np.arange(len(pairs)), -np.nan_to_num(errors), -missed))
    usable = (missed[rows] > 0) & ~np.isnan(errors[rows]) & ~np.isin(rows, but)
    return rows[usable][:count]
