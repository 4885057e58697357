"""Runs predict.py and reads what it wrote."""

import json

import cv2
from detector_cases import photo_with

from paddle_pose.cli import predict as command


def write_video(path, frames=12, rate=10.0):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), rate, (200, 150))
    for index in range(frames):
        writer.write(photo_with(20 + 5 * index, 30, 80 + 5 * index, 130))
    writer.release()
    return path


def predict(capsys, *arguments):
    """Exit code, stdout lines, stderr lines."""
    code = command.main([str(argument) for argument in ("--device", "cpu", *arguments)])
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err.splitlines()


def results(folder):
    return json.loads((folder / "coco_results.json").read_text())


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
