#!/usr/bin/env bash
# Convolutional Pose Machine of the paper on LSPET and LSP's first 1000, person-centric, scored on LSP's last 1000.
# Published: cpm_lsp_pc. Cost: not known.
#   bash scripts/train_cpm_lsp_lspet_368x368.sh
#   GPUS=0,1,2,3 bash scripts/train_cpm_lsp_lspet_368x368.sh
. "$(dirname "$0")/recipe.sh"
train_recipe configs/cpm/cpm_lsp_lspet_368x368.yaml "$@"
