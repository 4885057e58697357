"""The parts that a dressed person is painted from.

Front and back differ as they do in life: face or hair, neckline and print or plain cloth, toes or heels. Left
and right follow from that and from nothing else.
"""

from dataclasses import replace

import numpy as np

from paddle_pose.synthetic.body import SIDES, Body
from paddle_pose.synthetic.canvas import Paint, Part
from paddle_pose.synthetic.clothes import Outfit


class Tailor:
    """Makes the parts of one placed body in one outfit."""

    def __init__(self, body: Body, outfit: Outfit) -> None:
        self.body, self.outfit = body, outfit
        self.unit = body.height
        self.flesh = body.height * body.girth

    def parts(self) -> list[Part]:
        """All parts, in no order; `depth` says which is nearer."""
        parts = [*self._trunk(), *self._head()]
        for side, _ in SIDES:
            parts += [*self._arm(side), *self._leg(side)]
        return parts

    def _part(self, name, points, radii, paint, nearer=0.0, depth=None) -> Part:
        """A hull of balls at (n, 3) points; `nearer` and radii in standing heights."""
        points = np.stack(points)
        depth = points[:, 2].mean() if depth is None else depth
        radii = np.array(radii) * self.flesh
        return Part(name, points[:, :2], radii, paint, float(depth + nearer * self.unit))

    def _torso_point(self, base: str, left: float, up: float, forward: float) -> np.ndarray:
        return self.body.points[base] + self.body.torso_axes @ (left, up, forward) * self.unit

    def _trunk(self) -> list[Part]:
        points, outfit = self.body.points, self.outfit
        middle = (points["pelvis"] + points["thorax"]) / 2
        hips = [points[f"{side}_hip"] for side, _ in SIDES]
        pelvis = self._part("torso", hips, [0.058, 0.058], outfit.trousers, -0.003, middle[2])
        # behind the head where the head is seen from behind, else above the collar
        neck_depth = min(middle[2], points["head_center"][2] + 0.01 * self.unit)
        neck_points = [points["thorax"], points["upper_neck"]]
        neck = self._part("neck", neck_points, [0.034, 0.031], outfit.skin, 0.001, neck_depth)
        return [self._shirt(hips, middle), pelvis, neck, *self._skirt(middle[2]), *self._front(middle[2])]

    def _shirt(self, hips: list[np.ndarray], middle: np.ndarray) -> Part:
        thorax = self.body.points["thorax"]
        half = np.linalg.norm(self.body.points["left_shoulder"] - thorax) / self.unit - 0.022
        shoulders = [self._torso_point("thorax", sign * half, -0.012, 0) for _, sign in SIDES]
        chest = [self._torso_point("thorax", sign * half * 0.72, -0.09, 0.006) for _, sign in SIDES]
        waist = [0.85 * hip + 0.15 * thorax for hip in hips]
        radii = [0.036] * 2 + [0.058] * 2 + [0.054] * 2
        shirt = self._part("torso", shoulders + chest + waist, radii, self.outfit.shirt, depth=middle[2])
        return replace(shirt, axis_image=np.stack([thorax[:2], self.body.points["pelvis"][:2]]))

    def _front(self, depth: float) -> list[Part]:
        """Neckline and print, seen from the front only."""
        if self.body.torso_axes[2, 2] < 0.2:
            return []
        neckline = [(0.03, 0.02, 0.03), (-0.03, 0.02, 0.03), (0, -0.04, 0.045)]
        parts = [([self._torso_point("thorax", *p) for p in neckline], [0.007] * 3, self.outfit.skin)]
        if self.outfit.has_print:
            print_corners = [
                (0.032, -0.08, 0.05),
                (-0.032, -0.08, 0.05),
                (-0.03, -0.13, 0.05),
                (0.03, -0.13, 0.05),
            ]
            parts.append(
                (
                    [self._torso_point("thorax", *p) for p in print_corners],
                    [0.008] * 4,
                    self.outfit.print_color,
                )
            )
        return [self._part("torso", *part, depth=depth, nearer=0.002) for part in parts]

    def _skirt(self, depth: float) -> list[Part]:
        if not self.outfit.skirt:
            return []
        points = self.body.points
        length = min(self.outfit.skirt, 1.0)
        hems = [points[f"{s}_hip"] * (1 - length) + points[f"{s}_knee"] * length for s, _ in SIDES]
        hips = [points[f"{s}_hip"] for s, _ in SIDES]
        nearest = max([depth] + [(hip[2] + hem[2]) / 2 for hip, hem in zip(hips, hems)])
        return [self._part("skirt", hips + hems, [0.056] * 2 + [0.062] * 2, self.outfit.trousers, 0.004, nearest)]

    def _arm(self, side: str) -> list[Part]:
        shoulder, elbow, wrist, hand = (self.body.points[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist", "hand"))
        parts = self._sleeved(
            f"{side}_upper_arm", shoulder, elbow, (0.039, 0.030), self.outfit.sleeve, self.outfit.shirt, 0.02
        )
        parts += self._sleeved(
            f"{side}_forearm", elbow, wrist, (0.030, 0.021), self.outfit.sleeve - 1, self.outfit.shirt, 0.022
        )
        return [*parts, self._part(f"{side}_forearm", [wrist, hand], [0.019, 0.017], self.outfit.skin, 0.021)]

    def _leg(self, side: str) -> list[Part]:
        hip, knee, ankle, toe = (self.body.points[f"{side}_{n}"] for n in ("hip", "knee", "ankle", "toe"))
        parts = self._sleeved(f"{side}_thigh", hip, knee, (0.060, 0.043), self.outfit.leg, self.outfit.trousers, -0.001)
        parts += self._sleeved(
            f"{side}_shin", knee, ankle, (0.043, 0.026), self.outfit.leg - 1, self.outfit.trousers, 0.0
        )
        heel = ankle + (ankle - knee) * 0.09
        return [*parts, self._part(f"{side}_shin", [heel, toe], [0.029, 0.021], self.outfit.shoes, 0.001)]

    def _sleeved(self, name, start, end, radii, length, cloth, nearer) -> list[Part]:
        """A limb in its skin, and over it the cloth that covers `length` of it from the start."""
        if length >= 1:
            return [self._part(name, [start, end], radii, cloth, nearer)]
        parts = [self._part(name, [start, end], radii, self.outfit.skin, nearer)]
        if length > 0:
            hem, hem_radius = start + length * (end - start), radii[0] + length * (radii[1] - radii[0])
            cloth_radii = [radii[0] * 1.04, hem_radius * 1.14]
            parts.append(self._part(name, [start, hem], cloth_radii, cloth, nearer + 1e-4, (start[2] + end[2]) / 2))
        return parts

    def _head(self) -> list[Part]:
        head = [(0, 0.018, -0.006), (0, -0.028, 0.008)]
        parts = [self._head_part("head", head, [0.052, 0.041], self.outfit.skin)]
        if not self.outfit.bald:
            parts += self._hair()
        if self.unit > 45:
            parts += self._face()
        return parts

    def _head_part(self, name, offsets, radii, paint, nearer=0.0, natural=False) -> Part:
        """A part at offsets from the head's centre; `natural`: its own depth counts, not the centre's."""
        center = self.body.points["head_center"]
        points = [center + self.body.head_axes @ offset * self.unit for offset in offsets]
        # heads grow little with girth
        radii = np.array(radii) / self.body.girth
        return self._part(name, points, radii, paint, 0.012 + nearer, None if natural else center[2])

    def _hair(self) -> list[Part]:
        back = [(0, 0.014, -0.022), (0, -0.022, -0.030)]
        fringe = [(0.026, 0.042, 0.012), (-0.026, 0.042, 0.012), (0, 0.045, -0.01)]
        parts = [
            self._head_part("head", back, [0.057, 0.042], self.outfit.hair, 0.0, natural=True),
            self._head_part("head", fringe, [0.030, 0.030, 0.032], self.outfit.hair, 0.001),
        ]
        if self.outfit.long_hair:
            tail = [(0, 0.0, -0.036), (0, -0.10, -0.042)]
            parts.append(self._head_part("hair", tail, [0.048, 0.044], self.outfit.hair, -0.004, natural=True))
        return parts

    def _face(self) -> list[Part]:
        """Eyes, mouth, nose and ears, each if its side of the head is turned to the viewer."""
        skin = self.outfit.skin.color
        white, dark, lips = Paint(np.full(3, 235.0)), Paint(np.full(3, 25.0)), Paint(skin * (0.85, 0.5, 0.5))
        nose, ear = Paint(skin * 0.86), Paint(skin * 0.8)
        features = [("face", [(0, -0.004, 0.056), (0, -0.014, 0.061)], [0.007, 0.009], nose)]
        features.append(("face", [(0.015, -0.036, 0.046), (-0.015, -0.036, 0.046)], [0.006, 0.006], lips))
        for _, sign in SIDES:
            features.append(("face", [(sign * 0.020, 0.006, 0.0492)], [0.0125], white))
            features.append(("face", [(sign * 0.020, 0.006, 0.0496)], [0.0065], dark))
            if not self.outfit.long_hair:
                features.append(("ear", [(sign * 0.0494, -0.002, -0.008)], [0.014], ear))
        forward, left = self.body.head_axes[2, 2], self.body.head_axes[2, 0]
        seen = []
        for number, (name, offsets, radii, paint) in enumerate(features):
            offset = np.mean(offsets, axis=0)
            if offset[2] * forward + offset[0] * left > (0.004 if name == "face" else -0.02):
                seen.append(self._head_part(name, offsets, radii, paint, 0.003 + 1e-4 * number))
        return seen
