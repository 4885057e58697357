"""What is copied to a GPU, and when; the GPU itself is a fake that keeps a diary."""

import numpy as np
import paddle
import pytest
from engine_cases import TinyNet, arrays, assert_same_arrays, filled, make_batch, make_trainer

from paddle_pose.engine import prefetch


class FakeEvent:
    def __init__(self, diary, number):
        self._diary, self._number = diary, number

    def record(self, stream):
        self._diary.append(f"queued {self._number}")

    def synchronize(self):
        self._diary.append(f"waited {self._number}")


class FakePinned:
    def __init__(self, array):
        self._array = array

    def cuda(self, blocking):
        assert not blocking
        return paddle.to_tensor(self._array)


@pytest.fixture
def diary(monkeypatch):
    """Of a machine with a GPU."""
    told, to_tensor = [], paddle.to_tensor
    events = iter(range(100))

    def pinned_or_not(array, *arguments, place=None, **options):
        return FakePinned(array) if place == "pinned" else to_tensor(array, *arguments, **options)

    monkeypatch.setattr(paddle, "to_tensor", pinned_or_not)
    monkeypatch.setattr(paddle, "CUDAPinnedPlace", lambda: "pinned")
    monkeypatch.setattr(paddle.device, "get_device", lambda: "gpu:0")
    monkeypatch.setattr(paddle.device.cuda, "Event", lambda: FakeEvent(told, next(events)))
    monkeypatch.setattr(paddle.device.cuda, "current_stream", lambda: None)
    return told


def test_a_cpu_gets_the_iterator_itself():
    batches = iter([make_batch([0])])
    assert prefetch.on_device_ahead(batches) is batches


def test_each_copy_is_queued_before_the_batch_before_it_is_handed_out(diary):
    for k, batch in enumerate(prefetch.on_device_ahead(make_batch([k]) for k in range(4))):
        assert isinstance(batch.images, paddle.Tensor)
        np.testing.assert_array_equal(batch.images.numpy(), make_batch([k]).images)
        diary.append(f"step {k}")
    assert diary == [
        *("queued 0", "queued 1", "step 0"),
        *("waited 0", "queued 2", "step 1"),
        *("waited 1", "queued 3", "step 2", "step 3"),
    ]


def test_training_on_what_was_copied_ahead_is_the_same(diary):
    def trained(batches):
        network = filled(TinyNet())
        trainer = make_trainer(network)
        for batch in batches:
            trainer.train_step([batch])
        return arrays(network)

    expected = trained(make_batch([k]) for k in range(3))
    assert_same_arrays(trained(prefetch.on_device_ahead(make_batch([k]) for k in range(3))), expected)


def test_an_error_of_the_loader_arrives_and_an_epoch_of_nothing_is_one(diary):
    def broken():
        yield make_batch([0])
        raise OSError("no photo")

    with pytest.raises(OSError, match="no photo"):
        list(prefetch.on_device_ahead(broken()))
    assert list(prefetch.on_device_ahead(iter([]))) == []
