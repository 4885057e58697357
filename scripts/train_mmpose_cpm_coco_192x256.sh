#!/usr/bin/env bash
# mmpose's Convolutional Pose Machine at 192x256 (width x height), COCO keypoints.
# Published: mmpose_cpm_coco_192x256. Cost: not known.
#   bash scripts/train_mmpose_cpm_coco_192x256.sh
#   GPUS=0,1,2,3 bash scripts/train_mmpose_cpm_coco_192x256.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/cpm/mmpose_cpm_coco_192x256.yaml "$@"
