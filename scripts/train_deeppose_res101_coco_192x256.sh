#!/usr/bin/env bash
# ResNet-101 regression, smooth L1 at 192x256 (width x height), COCO keypoints.
# Published: mmpose_deeppose_res101_coco_192x256. Cost: not known.
#   bash scripts/train_deeppose_res101_coco_192x256.sh
#   GPUS=0,1,2,3 bash scripts/train_deeppose_res101_coco_192x256.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/deeppose/res101_coco_192x256.yaml "$@"
