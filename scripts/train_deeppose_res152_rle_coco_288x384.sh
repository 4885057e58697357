#!/usr/bin/env bash
# ResNet-152 regression, residual log-likelihood at 288x384 (width x height), COCO keypoints.
# Published: mmpose_deeppose_res152_coco_288x384_rle. Cost: not known.
#   bash scripts/train_deeppose_res152_rle_coco_288x384.sh
#   GPUS=0,1,2,3 bash scripts/train_deeppose_res152_rle_coco_288x384.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/deeppose/res152_rle_coco_288x384.yaml "$@"
