"""Weights, images and targets that follow from a rule, so that no file has to carry them. Needs numpy only.

Both sides of an alignment compute them anew; only the seed travels.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

EVALUATION, TRAINING, TARGET = 7, 1, 2  # added to the seed
STORED_IN_FULL = 16384  # gradients of at most so many numbers; of others the norm alone


def fill(key: str, shape: Sequence[int], seed: int) -> np.ndarray:
    """float32 values for one entry of a PyTorch `state_dict`, of a scale that keeps a deep network's maps finite.

    Args:
        key: its name there; what the entry is for is read off its last part.
        shape: its shape there.
        seed: 0 to 2^32 - 1.
    """
    return _draw(key, tuple(shape), np.random.RandomState((zlib.crc32(key.encode()) + seed) % 2**32)).astype("float32")


def _draw(key: str, shape: tuple[int, ...], rng: np.random.RandomState) -> np.ndarray:
    if key.endswith("running_var"):
        return rng.uniform(1.0, 2.0, shape)
    if key.endswith("running_mean"):
        return rng.standard_normal(shape) * 0.1
    if key.endswith("bias"):
        return rng.standard_normal(shape) * 0.05
    if len(shape) == 1:  # the weight of a normalisation
        return rng.uniform(0.4, 0.8, shape)
    return rng.standard_normal(shape) * np.sqrt(1.0 / np.prod(shape[1:]))


def weights(shapes: Mapping[str, Sequence[int]], seed: int) -> dict[str, np.ndarray]:
    """`fill` for every entry of a `state_dict`."""
    return {key: fill(key, shape, seed) for key, shape in shapes.items()}


def images(shape: Sequence[int], seed: int, purpose: int) -> np.ndarray:
    """Images (B, 3, H, W) as a network gets them, normal with mean 0 and deviation 1, float64.

    Args:
        shape: B, 3, H, W.
        seed: of the alignment.
        purpose: EVALUATION or TRAINING.
    """
    return np.random.RandomState(seed + purpose).standard_normal(tuple(shape))


def targets(shapes: Iterable[Sequence[int]], seed: int) -> list[np.ndarray]:
    """A target uniform in [0, 1) for every output, float64; outputs of one shape have the same target."""
    return [np.random.RandomState(seed + TARGET).uniform(0.0, 1.0, tuple(shape)) for shape in shapes]


def nudged(array: np.ndarray, key: str, relative: float) -> np.ndarray:
    """`array` times 1 + `relative` x a normal draw: the same weights but for rounding."""
    noise = np.random.RandomState(zlib.crc32(key.encode()) % 2**32).standard_normal(array.shape)
    return (array * (1.0 + relative * noise)).astype(array.dtype)


def gradient_entries(gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is stored of gradients: the norm of each, and small ones in full."""
    norms = {f"norm/{key}": np.asarray(np.linalg.norm(array.astype("float64"))) for key, array in gradients.items()}
    small = {f"gradient/{key}": array for key, array in gradients.items() if array.size <= STORED_IN_FULL}
    return {**norms, **small}
