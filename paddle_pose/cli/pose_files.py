"""Which kind of file predictions are read from and written to: COCO's results, or a row for each person."""

from pathlib import Path

from paddle_pose.data.coco import COCO
from paddle_pose.data.coco_photos import COCOPhotos
from paddle_pose.data.coco_results import write_poses
from paddle_pose.data.prediction_files import read_predictions, write_predictions
from paddle_pose.interfaces import Dataset, Metric
from paddle_pose.metrics.coco_metric import COCOKeypoints
from paddle_pose.samples import Predictions


def read_pose_file(path: str, dataset: Dataset, metric: Metric) -> tuple[Dataset, Predictions]:
    """The predictions of a file, and the dataset whose people they belong to, row for row.

    Where AP is measured, a `.json` file is a COCO results file, and its poses are the people.
    """
    if _is_coco_results(path, metric) and isinstance(dataset, (COCO, COCOPhotos)):
        return dataset.with_poses(path)
    return dataset, read_predictions(path, len(dataset), len(dataset.skeleton), dataset.skeleton)


def write_pose_file(path: str, predictions: Predictions, dataset: Dataset, metric: Metric) -> int:
    """Writes predictions in the form that `read_pose_file` reads; returns how many people are in the file."""
    if not _is_coco_results(path, metric):
        write_predictions(path, predictions, dataset.skeleton)
        return len(dataset)
    truth = dataset.truth()
    poses = metric.poses(predictions, truth)
    write_poses(path, poses, truth.coco.annotations.category_id)
    return len(poses.scores)


def _is_coco_results(path: str, metric: Metric) -> bool:
    return Path(path).suffix == ".json" and isinstance(metric, COCOKeypoints)
