#!/usr/bin/env bash
# ResNet-101 regression, smooth L1, MPII single person.
# Published: mmpose_deeppose_res101_mpii_256x256. Cost: not known.
#   bash scripts/train_deeppose_res101_mpii_256x256.sh
#   GPUS=0,1,2,3 bash scripts/train_deeppose_res101_mpii_256x256.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/deeppose/res101_mpii_256x256.yaml "$@"
