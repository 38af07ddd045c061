#!/bin/sh
# Multi30k En-De: RIM, its LSTM twin and fairseq's Transformer of equal size.
# usage: MULTI30K=folder with train.en, train.de, valid.*, test_2016_flickr.* ... sh run.sh
# (plain or .gz; PREFIX_SUFFIX is what stands between name and language, if anything)
set -eu
cd "$(dirname "$0")/../../.."
text=${MULTI30K:?}
suffix=${PREFIX_SUFFIX:-}
export OMP_NUM_THREADS=1

tests="test_2016_flickr test_2017_flickr test_2017_mscoco"
.venv/bin/python scripts/prepare.py files --out data/multi30k --vocab-size 6000 --no-filter \
    --train "$text/train$suffix" --valid "$text/valid$suffix" \
    $(for name in $tests; do echo --test "$name=$text/$name$suffix"; done)

train() { # name, architecture flags
    name=$1
    shift
    .venv/bin/fairseq-train data/multi30k/bin --user-dir user_dir \
        --source-lang en --target-lang de "$@" --share-all-embeddings --dropout 0.3 \
        --criterion label_smoothed_cross_entropy --label-smoothing 0.1 \
        --optimizer adam --adam-betas "(0.9, 0.98)" --lr 0.002 --lr-scheduler inverse_sqrt \
        --warmup-updates 400 --clip-norm 1.0 --max-tokens 2500 --required-batch-size-multiple 1 \
        --max-epoch 7 --seed 1 --save-dir "runs/multi30k/$name/checkpoints" \
        --no-epoch-checkpoints --log-format simple --log-interval 20 --num-workers 0 --cpu
    .venv/bin/python scripts/score.py --data data/multi30k --test $tests \
        --checkpoint "runs/multi30k/$name/checkpoints/checkpoint_best.pt" \
        --out "results/archive/captions-larger-model/$name"
}
# what these two architectures were then
train rim --arch rim_iwslt_en_de --comm-projection linear
train lstm --arch rnn_lstm_iwslt_en_de --encoder-hidden-size 352 --decoder-hidden-size 352
train transformer --arch transformer --encoder-layers 3 --decoder-layers 3 \
    --encoder-embed-dim 256 --decoder-embed-dim 256 \
    --encoder-ffn-embed-dim 792 --decoder-ffn-embed-dim 792 \
    --encoder-attention-heads 4 --decoder-attention-heads 4
