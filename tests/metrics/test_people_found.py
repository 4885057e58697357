import numpy as np
import pytest

from paddle_pose.data.person_centres import PERSON_CENTRE
from paddle_pose.errors import DataError
from paddle_pose.metrics.people_found import SurestPerson, hits, match
from paddle_pose.samples import Predictions, Truth


def people(*rows):
    """(P, 2, 2) from centre x, centre y, size."""
    rows = np.array(rows, float).reshape(-1, 3)
    edges = rows[:, :2] - np.stack([np.zeros(len(rows)), rows[:, 2] / 2], axis=1)
    return np.stack([rows[:, :2], edges], axis=1)


def test_a_hit_is_near_enough_and_of_like_size():
    true = people((100, 100, 50))
    found = people((100, 110, 50), (111, 100, 50), (100, 100, 75), (100, 100, 76), (100, 100, 33), (100, 100, 34))
    assert hits(found, true)[:, 0].tolist() == [True, False, True, False, False, True]


def test_each_person_is_found_once():
    true = people((0, 0, 50), (8, 0, 50))
    assert match(people((1, 0, 50), (2, 0, 50), (3, 0, 50)), true) == 2  # the second takes the other one
    assert match(people((1, 0, 50)), true) == 1
    assert match(people(), true) == 0
    assert match(people((1, 0, 50)), people()) == 0


def test_the_surest_may_be_anybody_in_the_photo():
    first = np.concatenate([people((0, 0, 50)), people((0, 0, 50))])
    everybody = (people((0, 0, 50), (200, 0, 50)), people((0, 0, 50)))
    truth = Truth(first, np.ones((2, 2), bool), everybody=everybody)
    found = Predictions(np.concatenate([people((199, 0, 55)), people((199, 0, 55))]), np.ones((2, 2), np.float32))
    metric = SurestPerson(PERSON_CENTRE)
    report = metric(found, truth)
    assert report.values == {"Found": 50.0}
    assert tuple(report.values) == metric.value_names()


def test_other_truths_are_refused():
    with pytest.raises(DataError, match="needs dataset PersonCentres"):
        SurestPerson(PERSON_CENTRE).check(Truth(np.zeros((1, 2, 2)), np.ones((1, 2), bool)))
