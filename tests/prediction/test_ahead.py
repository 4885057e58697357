"""Work done one item ahead: order, errors and ends are those of work done in turn."""

import threading
import time

import pytest

from paddle_pose.opencv_messages import cv2, quiet_opencv
from paddle_pose.prediction.ahead import one_ahead


def test_order_is_kept_and_everything_comes():
    assert list(one_ahead(range(5))) == list(range(5))
    assert list(one_ahead([])) == []
    assert list(one_ahead([None, None])) == [None, None]


def test_both_sides_work_at_once():
    def slow(items):
        for item in items:
            time.sleep(0.05)
            yield item

    began = time.monotonic()
    for _ in one_ahead(slow(range(8))):
        time.sleep(0.05)
    assert time.monotonic() - began < 0.7  # 0.8 in turn, 0.45 at once


def test_no_more_than_one_is_made_ahead():
    made = []
    items = one_ahead(made.append(number) or number for number in range(9))
    assert next(items) == 0
    time.sleep(0.1)
    assert made == [0, 1]


def test_an_error_comes_after_what_was_before_it():
    def broken():
        yield 1
        yield 2
        raise OSError("here")

    found = []
    with pytest.raises(OSError, match="here"):
        found.extend(iter(one_ahead(broken())))
    items = one_ahead(broken())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(OSError, match="here"):
        next(items)


def test_who_stops_leaves_no_thread_and_an_open_source_behind():
    threads, ends = threading.active_count(), []

    def source():
        try:
            while True:
                yield 1
        finally:
            ends.append("closed")

    items = one_ahead(item for item in one_ahead(source()))
    assert next(items) == 1
    items.close()
    assert (ends, threading.active_count()) == (["closed"], threads)


def test_opencv_speaks_again_after_blocks_of_two_threads():
    log = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging
    level, other = log.getLogLevel(), quiet_opencv()
    with quiet_opencv():
        thread = threading.Thread(target=other.__enter__)  # comes second, and goes second
        thread.start()
        thread.join()
    assert log.getLogLevel() == 0
    other.__exit__(None, None, None)
    assert log.getLogLevel() == level
