#!/usr/bin/env bash
# mmpose's Convolutional Pose Machine at 288x384 (width x height), COCO keypoints.
# Published: mmpose_cpm_coco_288x384. Cost: not known.
#   bash scripts/train_mmpose_cpm_coco_288x384.sh
#   GPUS=0,1,2,3 bash scripts/train_mmpose_cpm_coco_288x384.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/cpm/mmpose_cpm_coco_288x384.yaml "$@"
