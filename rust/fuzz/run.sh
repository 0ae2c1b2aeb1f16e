#!/bin/sh
# Fuzzes each target of limits.txt under ASan: `rust/fuzz/run.sh SECONDS [TARGET]...`. What is found beyond the corpus
# is kept in rust/fuzz/grown, so that a later run goes on from there; an input that fails, in rust/fuzz/artifacts.
set -eu
cd "$(dirname "$0")"
seconds=$1
shift
command -v cargo-fuzz >/dev/null || { echo "cargo-fuzz was not found: cargo install cargo-fuzz; it needs nightly Rust, too: rustup toolchain install nightly"; exit 1; }
failed=
while read -r target corpus length allocation process input; do
  case $target in ''|'#'*) continue ;; esac
  case " ${*:-$target} " in *" $target "*) ;; *) continue ;; esac
  mkdir -p "grown/$target"
  ASAN_OPTIONS=quarantine_size_mb=32 cargo +nightly fuzz run --fuzz-dir . "$target" "grown/$target" "corpus/$corpus" -- \
    -max_total_time="$seconds" -max_len="$length" -malloc_limit_mb="$allocation" -rss_limit_mb="$process" \
    -timeout="$input" -print_final_stats=1 -verbosity=1 </dev/null || failed="$failed $target"
done <limits.txt
test -z "$failed" || { echo "failed:$failed (the inputs lie in rust/fuzz/artifacts)"; exit 1; }
