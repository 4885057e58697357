"""Processes wait for each other for as long as it takes, unless one of them has failed."""

import pytest

from paddle_pose.engine import distributed
from paddle_pose.errors import UserError


class Store:
    """Counts as Paddle's store does; another process does what `others` say, one thing at each look."""

    def __init__(self, *others):
        self.counts, self.others = {}, list(others)

    def add(self, word, number):
        self.counts[word] = self.counts.get(word, 0) + number
        if self.others and number == 0:
            self.others.pop(0)(self)
        return self.counts[word]


@pytest.fixture
def among_three(monkeypatch):
    """Lets this process be one of three, with a store; returns how often it then summed."""
    sums = []

    def join(store):
        monkeypatch.setattr(distributed, "several", lambda: True)
        monkeypatch.setattr(distributed.dist, "get_world_size", lambda: 3)
        monkeypatch.setattr(distributed, "sum_over_processes", sums.append)
        monkeypatch.setattr(distributed.paddle.base.core, "create_or_get_global_tcp_store", lambda: store)
        monkeypatch.setattr(distributed, "_LONGEST_NAP_S", 1e-3)
        return sums

    return join


def arrives(store):
    word = [word for word in store.counts if word.startswith("paddle_pose wait")][-1]
    store.counts[word] += 1


def fails(store):
    store.counts[distributed._FAILED] = 1


def is_gone(store):
    raise ValueError("(InvalidArgument) TCP receive error. Details: Connection reset by peer.")


def nothing(store):
    pass


def test_it_returns_when_all_have_come(among_three):
    store = Store(nothing, arrives, nothing, nothing, arrives)
    sums = among_three(store)
    distributed.wait_for_all()
    assert (len(sums), store.others) == (1, [])
    again = Store(arrives, nothing, arrives)
    again.counts = dict(store.counts)  # who came to the first wait is not here yet
    sums = among_three(again)
    distributed.wait_for_all()
    assert (len(sums), again.others) == (2, [])


@pytest.mark.parametrize("end", [fails, is_gone])
def test_another_process_that_failed_ends_it_in_one_line(among_three, end):
    sums = among_three(Store(nothing, arrives, nothing, end))
    with pytest.raises(UserError, match="^another process has failed, .* log of the other$"):
        distributed.wait_for_all()
    assert sums == []


def test_who_gives_up_says_so(among_three):
    store = Store()
    among_three(store)
    distributed.give_up()
    with pytest.raises(UserError, match="another process has failed"):
        distributed.wait_for_all()
    store.add = lambda *_: is_gone(store)
    distributed.give_up()  # nobody is there to be told


def test_a_process_alone_waits_for_nobody():
    distributed.wait_for_all()
    distributed.give_up()
