"""A detector in PaddleDetection's form: a static model that finds the bright rectangle of a photo."""

import numpy as np
import paddle
import yaml

LABELS = ["car", "dog", "person"]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
NORMALISE = {"type": "NormalizeImage", "mean": MEAN, "std": STD, "is_scale": True, "norm_type": "mean_std"}
STEPS = [
    {"type": "Resize", "interp": 2, "keep_ratio": False, "target_size": [320, 320]},
    NORMALISE,
    {"type": "Permute"},
]


class BrightRectangle(paddle.nn.Layer):
    """Rows as PaddleDetection's: a person, a car in the same place, an unsure person, and one that fills up."""

    def __init__(self):
        super().__init__()
        self.one = self.create_parameter([1], default_initializer=paddle.nn.initializer.Constant(1.0))

    def forward(self, image, im_shape, scale_factor):
        bright = (image.mean(axis=1)[0] > 1.5).astype("float32")  # (h, w); white is 2.4, grey 0
        corners = []
        for axis, factor in ((0, scale_factor[0, 1]), (1, scale_factor[0, 0])):  # columns, rows
            seen = bright.max(axis=axis)
            places = paddle.arange(320, dtype="float32")[: seen.shape[0]]
            corners.append(((places * seen + 1e6 * (1 - seen)).min() / factor, ((places + 1) * seen).max() / factor))
        (left, right), (top, bottom) = corners
        box = self.one * paddle.stack([left, top, right, bottom]).reshape([1, 4]) + 0 * im_shape.sum()
        rows = [
            paddle.concat([paddle.to_tensor([head]), values * box], axis=1)
            for head, values in (([2.0, 0.9], 1), ([0.0, 0.8], 1), ([2.0, 0.3], 1), ([-1.0, 0.0], 0))
        ]
        return paddle.concat(rows), paddle.to_tensor([4], dtype="int32")


def export(folder, steps=None, labels=LABELS, **settings):
    """The folder that PaddleDetection's export_model.py would write."""
    specs = [
        paddle.static.InputSpec([-1, 3, 320, 320], "float32", "image"),
        paddle.static.InputSpec([-1, 2], "float32", "im_shape"),
        paddle.static.InputSpec([-1, 2], "float32", "scale_factor"),
    ]
    paddle.jit.save(BrightRectangle(), str(folder / "model"), input_spec=specs)
    write_config(folder, steps, labels, **settings)
    return folder


def write_config(folder, steps=None, labels=LABELS, **settings):
    content = {
        **{"mode": "paddle", "draw_threshold": 0.5, "metric": "COCO", "use_dynamic_shape": False, "arch": "PPYOLOE"},
        **{"min_subgraph_size": 3, "Preprocess": STEPS if steps is None else steps, "label_list": labels},
    }
    (folder / "infer_cfg.yml").write_text(yaml.safe_dump({**content, **settings}))


def photo_with(left, top, right, bottom, width=200, height=150):
    image = np.full((height, width, 3), 110, np.uint8)
    image[top:bottom, left:right] = 255
    return image
