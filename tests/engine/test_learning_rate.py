"""The rate of a step by `optimizer.base_batch`, and `train.bn_momentum`."""

import numpy as np
import pytest
from engine_cases import TinyNet, arrays, assert_same_arrays, build_tiny, filled, make_batch

from paddle_pose.builder_training import describe_learning_rate, learning_rate
from paddle_pose.config import check_config
from paddle_pose.errors import ConfigError


def config_of(optimizer=None, **train):
    sections = {section: {"type": "X"} for section in ("dataset", "network", "codec", "metric")}
    rate = {"lr": 5e-4, **(optimizer or {})}
    return check_config({**sections, "input_wh": [32, 32], "optimizer": rate, "train": train}, "here")


@pytest.mark.parametrize(
    ("batch_size", "accumulate", "processes", "rate"),
    [(64, 8, 1, 5e-4), (64, 2, 4, 5e-4), (64, 1, 8, 5e-4), (64, 1, 1, 6.25e-5), (32, 4, 1, 1.25e-4), (64, 8, 2, 1e-3)],
)
def test_the_rate_is_proportional_to_the_samples_of_a_step(batch_size, accumulate, processes, rate):
    config = config_of({"base_batch": 512}, batch_size=batch_size, accumulate=accumulate)
    assert learning_rate(config, processes) == rate  # powers of 2: exactly
    assert learning_rate(config_of(batch_size=batch_size, accumulate=accumulate), processes) == 5e-4


def test_one_line_says_it():
    config = config_of({"base_batch": 512}, batch_size=64, accumulate=2)
    assert describe_learning_rate(config, 4) == (
        "learning rate 0.0005 for 512 samples a step (optimizer.base_batch); here 64 x 2 x 4 = 512: 0.0005"
    )
    assert describe_learning_rate(config, 1).endswith("here 64 x 2 x 1 = 128: 0.000125")
    assert describe_learning_rate(config_of(batch_size=6), 1) == (
        "learning rate 0.0005 as it is written (no optimizer.base_batch), steps of 6 x 1 x 1 = 6 samples"
    )


@pytest.mark.parametrize("base", [0, -1, 2.5, "many"])
def test_a_base_that_is_no_count_is_refused(base):
    with pytest.raises(ConfigError, match="base_batch"):
        config_of({"base_batch": base})


def trainer_of(network, optimizer, schedule, ranks=1, **train):
    return build_tiny(network, ranks, optimizer=optimizer, schedule=schedule, **train)


def test_warm_up_and_schedule_act_on_the_scaled_rate():
    optimizer = {"type": "SGD", "lr": 0.1, "base_batch": 8}
    schedule = {"type": "multistep", "milestones": [2], "gamma": 0.1, "warmup_steps": 3, "warmup_ratio": 0.5}
    trainer = trainer_of(filled(TinyNet()), optimizer, schedule, batch_size=2, epochs=3)
    # a quarter of 0.1; two steps an epoch
    expected = np.array([0.5, 0.75, 1.0, 1.0, 0.1, 0.1]) * 0.025
    np.testing.assert_allclose([trainer.schedule.lr(step) for step in range(6)], expected, rtol=1e-12)
    assert trainer.optimizer.get_lr() == 0.025


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_scaled_run_is_the_run_at_that_rate_to_the_last_bit(kind):
    def trained(optimizer):
        network = filled(TinyNet())
        trainer = trainer_of(network, {"type": kind, **optimizer}, {"type": "constant"}, batch_size=2)
        for k in range(3):
            trainer.train_step([make_batch([2 * k, 2 * k + 1])])
        return arrays(network)

    assert_same_arrays(trained({"lr": 0.04, "base_batch": 8}), trained({"lr": 0.01}))


class TestBatchNormMomentum:
    def statistics(self, momentum):
        """Running mean after one step from 0, and the mean of that step's batch."""
        network = filled(TinyNet(batch_norm=True))
        seen = []
        network.first.register_forward_post_hook(lambda _, __, out: seen.append(out.numpy().mean(axis=(0, 2, 3))))
        trainer = build_tiny(network, bn_momentum=momentum)
        trainer.train_step([make_batch([0, 1])])
        return network.bn._mean.numpy(), seen[0]

    @pytest.mark.parametrize(("momentum", "share_of_the_new"), [(None, 0.1), (0.9, 0.1), (0.1, 0.9), (0.0, 1.0)])
    def test_it_is_the_share_of_the_old_value(self, momentum, share_of_the_new):
        running, batch = self.statistics(momentum)
        np.testing.assert_allclose(running, share_of_the_new * batch, rtol=1e-4, atol=1e-6)

    def test_a_network_without_batch_norm_is_refused(self):
        with pytest.raises(ConfigError, match=r"train.bn_momentum=0.1: the network has no batch norm"):
            build_tiny(filled(TinyNet()), bn_momentum=0.1)

    @pytest.mark.parametrize("momentum", [1.0, -0.1])
    def test_a_share_that_is_none_is_refused(self, momentum):
        with pytest.raises(ConfigError, match="bn_momentum"):
            config_of(bn_momentum=momentum)
