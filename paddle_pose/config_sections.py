"""The sections of a configuration, each checked by itself. config.py puts them together.

A section with a `type` names a class; its other keys are that class's arguments and are checked against the class in
builder_data.py. All other keys are checked here.
"""

from typing import Annotated, Any, Literal, Optional

import pydantic

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_Positive = Annotated[float, pydantic.Field(gt=0)]
_Byte = Annotated[int, pydantic.Field(ge=0, le=255)]
_TestScale = Annotated[float, pydantic.Field(ge=0.1, le=10)]


class Section(pydantic.BaseModel):
    """A group of keys; a key that is not listed is an error."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Component(pydantic.BaseModel):
    """A class by name, with its arguments beside it."""

    model_config = pydantic.ConfigDict(extra="allow", frozen=True)

    type: str

    @property
    def arguments(self) -> dict[str, Any]:
        """Everything but `type`."""
        return dict(self.model_extra or {})


class Normalise(Section):
    """What the network sees of a colour: (image / 255 - mean) / std, statistics in [0, 1].

    `order` is that of the channels which the network gets, and of `mean` and `std`. `border` is the RGB colour, 0 to
    255, of what lies beyond the photo's edge.
    """

    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[_Positive, _Positive, _Positive] = IMAGENET_STD
    order: Literal["RGB", "BGR"] = "RGB"
    border: tuple[_Byte, _Byte, _Byte] = (0, 0, 0)


class Optimizer(Section):
    """Optimiser and its numbers; those that a type does not use are left at their defaults.

    `lr_factors` multiplies the rate of parameters whose name fits a pattern, as of files: {"stage1.*": 5, "*.bias": 2}
    gives the biases of stage1 ten times the rate.

    With `base_batch`, `lr` is the rate for steps of so many samples, and steps of n samples take lr x n / base_batch;
    without it `lr` is the rate, whatever the step (builder_training.py).
    """

    type: Literal["Adam", "AdamW", "Adagrad", "SGD", "Momentum", "RMSProp"] = "Adam"
    lr: float = pydantic.Field(5e-4, gt=0)
    base_batch: Optional[int] = pydantic.Field(None, gt=0, le=1_000_000, strict=True)
    weight_decay: float = pydantic.Field(0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = pydantic.Field(0.9, ge=0, lt=1)
    nesterov: bool = False
    rho: float = pydantic.Field(0.99, gt=0, lt=1)
    epsilon: float = pydantic.Field(1e-8, gt=0)
    clip_norm: Optional[float] = pydantic.Field(None, gt=0)
    lr_factors: dict[str, _Positive] = {}


class Schedule(Section):
    """Learning rate over time. Milestones are epochs; warm-up is counted in steps.

    `observe` is what `plateau` goes by: the value that `valid.best` names, or the loss of the valid split.
    """

    type: Literal["constant", "multistep", "cosine", "plateau"] = "multistep"
    milestones: tuple[int, ...] = (170, 200)
    gamma: float = pydantic.Field(0.1, gt=0, le=1)
    warmup_steps: int = pydantic.Field(0, ge=0)
    warmup_ratio: float = pydantic.Field(0.001, ge=0, le=1)
    min_lr: float = pydantic.Field(0.0, ge=0)
    patience: int = pydantic.Field(5, ge=0)
    threshold: float = pydantic.Field(1e-4, ge=0)
    cooldown: int = pydantic.Field(0, ge=0)
    observe: Literal["best", "loss"] = "best"


def _unquoted_off(value: Any) -> Any:
    """YAML reads a bare `off` as false."""
    return "off" if value is False else value


class Train(Section):
    """The training loop. `batch_size` is per process and per forward pass.

    `freeze` names the parts that are not trained: never, or in the first `freeze_epochs` epochs. After these a new
    optimiser trains everything, and `schedule.type: plateau` begins to observe.

    `to_static` trains through a program that Paddle traces from the network, not operation by operation.
    `channels_last` lets Paddle lay out convolutions of half precision as the GPU's tensor cores want them.

    `bn_momentum` is for all batch norms, in Paddle's sense: the share of the old running statistics that is kept.

    `reduced_decoding` decodes a JPEG at 1/2, 1/4 or 1/8 of its size where a crop pixel spans that many photo pixels. It
    is faster and **changes the pixels**: crops become smoother (docs/packed_cache.md). Not for crops of single joints.
    """

    epochs: int = pydantic.Field(210, gt=0)
    batch_size: int = pydantic.Field(64, gt=0)
    accumulate: int = pydantic.Field(1, gt=0)
    workers: int = pydantic.Field(4, ge=0)
    amp: Annotated[Literal["off", "O1", "O2"], pydantic.BeforeValidator(_unquoted_off)] = "off"
    amp_dtype: Literal["float16", "bfloat16"] = "float16"
    channels_last: bool = False
    to_static: bool = False
    ema_decay: Optional[float] = pydantic.Field(None, gt=0, lt=1)
    sync_bn: bool = False
    bn_momentum: Optional[float] = pydantic.Field(None, ge=0, lt=1)
    freeze: tuple[str, ...] = ()
    freeze_epochs: Optional[int] = pydantic.Field(None, gt=0)
    checkpoint_steps: int = pydantic.Field(500, gt=0)
    log_steps: int = pydantic.Field(50, gt=0)
    max_bad_photos: float = pydantic.Field(0.01, ge=0, le=1)
    reduced_decoding: bool = False

    @pydantic.model_validator(mode="after")
    def _epochs_of_something(self) -> "Train":
        if self.freeze_epochs is not None and not self.freeze:
            raise ValueError(f"freeze_epochs={self.freeze_epochs}, but nothing is frozen; name the parts in freeze")
        if self.freeze_epochs is not None and self.freeze_epochs > self.epochs:
            raise ValueError(
                f"freeze_epochs={self.freeze_epochs} is more than epochs={self.epochs}: what is frozen would never be "
                "trained; lower it, or leave it out to mean that"
            )
        return self

    @pydantic.model_validator(mode="after")
    def _half_for_channels_last(self) -> "Train":
        if self.channels_last and self.amp == "off":
            raise ValueError("channels_last=True is for half precision; set amp to O1 or O2, or leave it out")
        if self.channels_last and self.to_static:
            raise ValueError("channels_last=True has no effect on a traced program; leave one of it and to_static out")
        return self


class Valid(Section):
    """Evaluation during training and by val.py.

    `best` names the value that selects the best model: the highest, but of `loss`, that of the valid split, the lowest.

    With `test_scales` other than 1 each person is looked at at these sizes and the outputs are averaged; `batch_size`
    then counts crops.

    Of whole photos (a codec that finds everybody) the shorter or the longer side, or the height, as `photo_fit` says,
    is made `photo_side` pixels long (none: as long as that of `input_wh`), times each test scale; `batch_size` then
    counts squares of `photo_side`.

    `reduced_decoding` is that of `train`, for the crops to be scored; whole photos are always decoded whole.
    """

    batch_size: int = pydantic.Field(64, gt=0)
    every_epochs: int = pydantic.Field(1, gt=0)
    mirror_test: bool = True
    test_scales: tuple[_TestScale, ...] = pydantic.Field((1.0,), min_length=1)
    photo_side: Optional[int] = pydantic.Field(None, ge=8, le=4096)
    photo_fit: Literal["shorter", "height", "longer"] = "shorter"
    reduced_decoding: bool = False
    best: str = "Mean"


class JointCrops(Section):
    """Crops of single joints (data/joint_crops.py). A cascade writes this section for its later stages."""

    sigma: _Positive
    diameter_between: tuple[str, str]
    # predictions of the stage before on the people of each split, files as `val.py --save_predictions` writes them
    train_joints: str
    valid_joints: str
    # of that stage's errors on the training people, for each joint, in diameters: what training displaces crops by
    error_mean: tuple[tuple[float, float], ...]
    error_covariance: tuple[tuple[tuple[float, float], tuple[float, float]], ...]
    all_labels: bool = False


class Cascade(Section):
    """Later stages that refine the joints one by one; `stages` says what is different in each of them.

    `sigma` diameters are the side of a crop, in each later stage; the diameter of a pose is the distance of two
    joints. `stage1` is a finished model to begin with; without one the rest of the configuration is trained first.
    With `all_labels` a training crop supervises all joints that it shows, not only the one that it is cut for.
    """

    stages: tuple[dict[str, Any], ...] = pydantic.Field(min_length=1)
    sigma: tuple[_Positive, ...]
    diameter_between: tuple[str, str] = ("left_shoulder", "right_hip")
    stage1: Optional[str] = None
    all_labels: bool = False

    @pydantic.model_validator(mode="after")
    def _one_sigma_for_each(self) -> "Cascade":
        if len(self.sigma) != len(self.stages):
            raise ValueError(
                f"sigma {list(self.sigma)} is for {len(self.sigma)} stages, but {len(self.stages)} are listed"
            )
        return self


class Packed(Section):
    """Packed caches that stand in for the photo files of a split (docs/packed_cache.md); none: the photo files."""

    train: Optional[str] = None
    valid: Optional[str] = None


class Reference(Section):
    """A row of one's own that a configuration is compared with; published ones are in paddle_pose/references."""

    source: str
    values: dict[str, float]
    note: str = ""
