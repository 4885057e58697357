#!/usr/bin/env bash
# Convolutional Pose Machine of the paper, six stages with centre map and background, MPII single person.
# Published: nothing comparable (MPII's test split). Cost: not known.
#   bash scripts/train_cpm_mpii_368x368.sh
#   GPUS=0,1,2,3 bash scripts/train_cpm_mpii_368x368.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/cpm/cpm_mpii_368x368.yaml "$@"
