"""Configuration -> training loop: learning rate, optimiser, schedule, what is frozen and until when."""

from contextlib import nullcontext

import paddle

from paddle_pose.builder import Parts
from paddle_pose.config import Config
from paddle_pose.engine.ema import Ema
from paddle_pose.engine.optimizers import make_optimizer
from paddle_pose.engine.precision import Precision
from paddle_pose.engine.progress import Thaw
from paddle_pose.engine.schedule import Schedule
from paddle_pose.engine.traced import traced
from paddle_pose.engine.trainer import Trainer, is_frozen
from paddle_pose.errors import ConfigError
from paddle_pose.networks.convolution import training_by_onednn

BATCH_NORMS = (paddle.nn.BatchNorm1D, paddle.nn.BatchNorm2D)


def learning_rate(config: Config, ranks: int) -> float:
    """Rate of the first step after the warm-up, in a training by `ranks` processes.

    With `optimizer.base_batch` it grows with the samples of a step: the linear rule of Goyal et al., "Accurate, Large
    Minibatch SGD" (2017), Sec. 2.1. mmpose's `auto_scale_lr` is the same rule. `schedule.min_lr` is not scaled.
    """
    base = config.optimizer.base_batch
    return config.optimizer.lr * (1.0 if base is None else samples_in_a_step(config, ranks) / base)


def describe_learning_rate(config: Config, ranks: int) -> str:
    """One line: the rate, and why it is that."""
    train, written, base = config.train, config.optimizer.lr, config.optimizer.base_batch
    step = f"{train.batch_size} x {train.accumulate} x {ranks} = {samples_in_a_step(config, ranks)}"
    if base is None:
        return f"learning rate {written:g} as it is written (no optimizer.base_batch), steps of {step} samples"
    rate = learning_rate(config, ranks)
    return f"learning rate {written:g} for {base} samples a step (optimizer.base_batch); here {step}: {rate:g}"


def samples_in_a_step(config: Config, ranks: int) -> int:
    """Samples behind one step of the optimiser, those of all processes."""
    return config.train.batch_size * config.train.accumulate * ranks


def build_trainer(parts: Parts, batches_per_epoch: int, ranks: int) -> Trainer:
    """The training loop of a configuration; with `ranks` > 1 its gradients are averaged over processes."""
    config, network = parts.config, _prepared(parts)
    train = config.train
    asleep = _freeze(network, train.freeze)
    lr = learning_rate(config, ranks)
    settings = {**config.optimizer.model_dump(exclude={"base_batch"}), "lr": lr}

    def begin() -> tuple[paddle.optimizer.Optimizer, paddle.nn.Layer]:
        optimizer = make_optimizer(network, **settings)
        if train.amp == "O2" and paddle.device.get_device().startswith("gpu"):
            _, optimizer = paddle.amp.decorate(network, optimizer, level="O2", dtype=train.amp_dtype)
        through = traced(network) if train.to_static else network
        return optimizer, paddle.DataParallel(through) if ranks > 1 else through

    def begin_anew() -> tuple[paddle.optimizer.Optimizer, paddle.nn.Layer]:
        for parameter in asleep:
            parameter.stop_gradient = False
        return begin()

    optimizer, parallel = begin()
    schedule = Schedule(
        lr=lr,
        steps_per_epoch=batches_per_epoch // train.accumulate,
        epochs=train.epochs,
        **config.schedule.model_dump(),
    )
    return Trainer(
        network=network,
        parallel=parallel,
        codec=parts.codec,
        loss=parts.loss,
        optimizer=optimizer,
        schedule=schedule,
        normalise=parts.normalise,
        accumulate=train.accumulate,
        precision=Precision(train.amp, train.amp_dtype),
        ema=Ema(network, train.ema_decay) if train.ema_decay else None,
        frozen=train.freeze,
        thaw=Thaw(train.freeze_epochs, begin_anew) if train.freeze_epochs else None,
        seed=config.seed,
        around_step=nullcontext if train.to_static else training_by_onednn,
    )


def _prepared(parts: Parts) -> paddle.nn.Layer:
    """The network with the batch norms that `train` asks for."""
    network = parts.network
    if parts.config.train.bn_momentum is not None:
        _set_bn_momentum(network, parts.config.train.bn_momentum)
    if parts.config.train.sync_bn and paddle.device.get_device().startswith("gpu"):  # there is no such CPU kernel
        network = paddle.nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return network


def _set_bn_momentum(network: paddle.nn.Layer, momentum: float) -> None:
    norms = [layer for layer in network.sublayers() if isinstance(layer, BATCH_NORMS)]
    if not norms:
        raise ConfigError(f"train.bn_momentum={momentum}: the network has no batch norm; leave the key out")
    for norm in norms:
        norm._momentum = momentum


def _freeze(network: paddle.nn.Layer, prefixes: tuple[str, ...]) -> list[paddle.Tensor]:
    """Makes the parameters under the prefixes untrainable; returns those that were trainable before."""
    names = [name for name, _ in network.named_parameters()]
    for prefix in prefixes:
        if not any(is_frozen(name, (prefix,)) for name in names):
            tops = sorted({name.split(".")[0] for name in names})
            raise ConfigError(f"train.freeze: no parameter lies under {prefix!r}; the network has {', '.join(tops)}")
    frozen = [p for name, p in network.named_parameters() if is_frozen(name, prefixes) and not p.stop_gradient]
    for parameter in frozen:
        parameter.stop_gradient = True
    return frozen
