#!/usr/bin/env bash
# HRNet-W48, MPII single person, mmpose's recipe; the authors published no number for it.
# Published: mmpose_hrnet_w48_mpii_256x256. Cost: not known.
#   bash scripts/train_hrnet_w48_mpii_256x256.sh
#   GPUS=0,1,2,3 bash scripts/train_hrnet_w48_mpii_256x256.sh
. "$(dirname "$0")/recipe.sh"
TRUNK="a trunk trained on ImageNet" train_recipe configs/hrnet/w48_mpii_256x256.yaml "$@"
