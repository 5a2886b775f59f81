#!/bin/bash
# Folding and matching in process, one thread, the whole dictionary: medians of 7 interleaved pairs
# beside ICU and Vectorscan, which is a peer here and nothing else.  BENCH_SCALE shrinks the corpus.
set -eu
cd "$(dirname "$0")/../.."
DATA=../shared/data/lexicon
[ -f "$DATA/phrases_zh.txt" ] || { echo "skipped: 020_matcher, no phrases in $DATA"; exit 0; }
if [ "${QG_BENCH_PEERS:-0}" = 1 ] && ! pkg-config --exists libhs; then
  sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
  $sudo apt-get install -y -qq --no-install-recommends libvectorscan-dev >/dev/null 2>&1 || true
fi
peer=()
if pkg-config --exists libhs; then
  # shellcheck disable=SC2207
  peer=(-DHAVE_HS $(pkg-config --libs libhs))
fi
work=$(mktemp -d /tmp/qgb.XXXXXX)
trap 'rm -rf "$work"' EXIT
CFLAGS="-O2 -g" test/fuzz/build "$work/matcher" -Itest/bench test/bench/{matcher,corpus}.c "${peer[@]}"
test/bench/machine
"$work/matcher" "$DATA" "$(awk -v s="${BENCH_SCALE:-1}" 'BEGIN { printf "%d", 100000 * s }')" 7
