"""What a person who runs an exported model without this package has to know, in words and numbers."""

from typing import Any

from paddle_pose.deployment.description import Description


def words(description: Description) -> dict[str, Any]:
    """Lines for `deploy.yaml`: how the input is made, what happens inside, what comes out."""
    everybody = description.finds == "everybody"
    return {
        "input": _photo_lines(description) if everybody else _crop_lines(description),
        "inside": _inside_lines(description),
        "outputs": {name: _OUTPUTS[name].format(**_numbers(description)) for name in description.outputs},
    }


_OUTPUTS = {
    "joints": "float32 (B, {K}, 2): x, y of each joint in crop pixels; 0, 0 is the middle of the first pixel",
    "scores": "float32 (B, {K}): confidence of each joint{how}",
    "maps": "float32 (B, C, h, w): the last stage's output{which}",
}


def _numbers(description: Description) -> dict[str, Any]:
    numbers = {"K": len(description.skeleton), "how": ", the height of its map", "which": ""}
    if description.finds == "everybody":
        limbs = len(description.skeleton.limbs)
        numbers["which"] = (
            f", C = {2 * limbs} fields (x, y of limb 0, x, y of limb 1, ...), {len(description.skeleton)} joints and 1 "
            f"background; h = H / {description.stride}, w = W / {description.stride}"
        )
    elif description.stride == 1:  # coordinates, no maps
        sigma = bool(description.config["codec"].get("sigma"))
        numbers["how"] = ", 1 - the mean of both standard deviations" if sigma else ", always 1"
        numbers["which"] = ", here (B, K, 2), or (B, K, 4) with standard deviations: numbers, not maps"
    return numbers


def _crop_lines(description: Description) -> list[str]:
    """From a photo and a person's box to the network's crop, and back."""
    width, height = description.input_wh
    less = " - 1" if description.pixel_centres else ""
    width_1, height_1 = (side - description.pixel_centres for side in (width, height))
    return [
        f"uint8, (B, {height}, {width}, 3): B crops of {width} x {height} pixels (width x height), RGB, as the photo "
        "has them; nothing is subtracted or divided outside.",
        f"Box of a person: centre (cx, cy), sides times {description.padding:g}; then the shorter side is enlarged "
        f"until width : height = {width} : {height}. bw is that box's width in photo pixels.",
        f"Scale s = ({width}{less}) / bw = {width_1} / bw. Photo pixel (x, y), integers being pixel centres, -> crop "
        f"pixel (s (x - cx) + {width_1 / 2:g}, s (y - cy) + {height_1 / 2:g}).",
        f"Bilinear; beyond the photo the colour is RGB {list(description.border)}. In OpenCV: "
        f"cv2.warpAffine(photo, [[s, 0, {width_1 / 2:g} - s cx], [0, s, {height_1 / 2:g} - s cy]], "
        f"({width}, {height}), flags=cv2.INTER_LINEAR, borderValue={tuple(description.border)}).",
        f"Back: photo x = (crop x - {width_1 / 2:g}) / s + cx, photo y = (crop y - {height_1 / 2:g}) / s + cy.",
    ]


def _photo_lines(description: Description) -> list[str]:
    """From a photo to the network's input."""
    stride, valid = description.stride, description.config["valid"]
    sides = sorted(description.config["input_wh"])
    side = valid.get("photo_side") or (sides[-1] if valid["photo_fit"] == "longer" else sides[0])
    which = {"shorter": "shorter side", "longer": "longer side", "height": "height"}[valid["photo_fit"]]
    return [
        "uint8, (B, H, W, 3): B whole photos of one size, RGB, as they are; nothing is subtracted or divided outside.",
        f"Resize the photo so that its {which} has {side} pixels (validated so; smaller is faster), bilinear; below "
        "half the size by area means (cv2.INTER_AREA).",
        f"Put it in the top left corner of an image whose H and W are multiples of {stride}; the rest has the colour "
        f"RGB {list(description.border)}.",
        f"Cell (i, j) of a map lies at input pixel ({stride} i + {(stride - 1) / 2:g}, {stride} j + "
        f"{(stride - 1) / 2:g}). A resized side of n pixels, N in the photo: photo = (input + 0.5) N / n - 0.5.",
        "People are put together from the maps outside: paddle_pose/codecs/grouping.py, with the thresholds of "
        "config.codec.grouping.",
    ]


def _inside_lines(description: Description) -> list[str]:
    colors = description.config["normalise"]
    order = "; the channels are turned to BGR first" if colors["order"] == "BGR" else ""
    lines = [
        f"Colours: (value / 255 - mean) / std, mean {list(colors['mean'])}, std {list(colors['std'])}, channels "
        f"{colors['order']}{order}."
    ]
    if description.mirror_test:
        lines.append("The mirrored input is looked at too, and the mean of both outputs is used (twice the time).")
    if description.finds == "one":
        codec = {key: value for key, value in description.config["codec"].items() if value is not None}
        lines.append(f"Joints are read from the output by codec {codec}.")
    return lines
