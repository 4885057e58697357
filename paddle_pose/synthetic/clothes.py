"""What people wear: skin, hair, cloth and their colours."""

from dataclasses import dataclass

import numpy as np

from paddle_pose.synthetic.canvas import Paint

# RGB, light to dark, and some unusual light on them
SKINS = ((246, 213, 188), (231, 188, 152), (210, 160, 118), (176, 122, 82), (130, 86, 56), (92, 58, 40))
HAIRS = (
    (28, 22, 20),
    (60, 40, 28),
    (98, 66, 38),
    (168, 130, 70),
    (214, 188, 130),
    (140, 62, 36),
    (150, 150, 150),
)


@dataclass(frozen=True)
class Outfit:
    """One person's looks. Lengths are fractions of the limb that is covered; `hair` None is a bald head."""

    skin: Paint
    hair: Paint
    shirt: Paint
    trousers: Paint
    shoes: Paint
    print_color: Paint
    sleeve: float
    leg: float
    skirt: float
    long_hair: bool
    bald: bool
    has_print: bool


def _paint(rng: np.random.Generator, plain: float = 0.55) -> Paint:
    color, second = _cloth_color(rng), _cloth_color(rng)
    pattern = "plain" if rng.random() < plain else str(rng.choice(("rings", "stripes", "checks")))
    return Paint(color, second, pattern, float(rng.uniform(0.025, 0.07)))


def _cloth_color(rng: np.random.Generator) -> np.ndarray:
    """Greys as often as people wear them, else a colour of any hue."""
    value = rng.uniform(35, 245)
    if rng.random() < 0.25:
        return np.full(3, value)
    color = rng.uniform(0, 1, 3)
    color = (color - color.min()) / max(np.ptp(color), 1e-6)
    return value * (1 - rng.uniform(0.3, 0.9) * (1 - color))


def _tone(rng: np.random.Generator, tones: tuple) -> Paint:
    return Paint(np.clip(np.array(tones[rng.integers(len(tones))]) * rng.uniform(0.88, 1.1), 0, 255))


def draw_outfit(rng: np.random.Generator) -> Outfit:
    """Clothes, hair and skin of one person."""
    skirt = float(rng.uniform(0.6, 1.1)) if rng.random() < 0.12 else 0.0
    skin = _tone(rng, SKINS)
    hair = _tone(rng, HAIRS) if rng.random() < 0.85 else _paint(rng, plain=1.0)
    if np.abs(hair.color - skin.color).sum() < 90:  # a head must show whether it is seen from behind
        hair = Paint(hair.color * 0.4)
    return Outfit(
        skin=skin,
        hair=hair,
        shirt=_paint(rng),
        trousers=_paint(rng, plain=0.8),
        shoes=_paint(rng, plain=1.0),
        print_color=_paint(rng, plain=0.5),
        sleeve=float(rng.choice((0.0, 0.35, 0.55, 1.7, 2.0), p=(0.12, 0.2, 0.23, 0.1, 0.35))),
        leg=0.0 if skirt else float(rng.choice((0.45, 0.75, 0.95, 2.0), p=(0.1, 0.12, 0.08, 0.7))),
        skirt=skirt,
        long_hair=bool(rng.random() < 0.35),
        bald=bool(rng.random() < 0.06),
        has_print=bool(rng.random() < 0.6),
    )
