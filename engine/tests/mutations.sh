#!/usr/bin/env bash
# Shows that the engine's tests catch each of its mutations: applies the patches of mutations/ one by one to a copy of the
# sources, runs the tests, and expects them to fail. See mutations.md.
#
#   engine/tests/mutations.sh [NAME...]
#
# LSINFRA_CASES scales the cases of each property; a third of the usual number is enough.
set -euo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(git -C "$folder" rev-parse --show-toplevel)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
git -C "$root" ls-files -z --cached --others --exclude-standard |
    (cd "$root" && tar --null --ignore-failed-read -T - -cf - 2>/dev/null) | tar -xf - -C "$scratch"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}/mutations"
export LSINFRA_CASES="${LSINFRA_CASES:-0.34}" PROPTEST_MAX_SHRINK_ITERS=0 RUST_BACKTRACE=0
log="$scratch/log"

run_tests() {
    (cd "$scratch" && timeout 900 cargo test --quiet --package lsinfra-engine --test it >"$log" 2>&1)
}

if ! run_tests; then
    cat "$log"
    echo "the tests fail without any mutation"
    exit 1
fi
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    mapfile -t names < <(cd "$folder/mutations" && ls ./*.patch | sed 's|^\./||; s|\.patch$||')
fi
missed=0
for name in "${names[@]}"; do
    patch="$folder/mutations/$name.patch"
    if ! (cd "$scratch" && patch --quiet --forward -p1 <"$patch" >"$log" 2>&1); then
        echo "stale   $name: the patch no longer applies"
        missed=$((missed + 1))
        rm -rf "$scratch/engine" && cp -r "$root/engine" "$scratch/engine"
        continue
    fi
    if run_tests; then
        echo "missed  $name: $(head -1 "$patch")"
        missed=$((missed + 1))
    elif grep -q '^error\(\[E[0-9]*\]\)\?:' "$log" && ! grep -q '^test result: FAILED' "$log"; then
        echo "broken  $name: the mutated engine does not compile"
        grep -m1 -A5 '^error' "$log"
        missed=$((missed + 1))
    else
        mapfile -t caught < <(sed -n '/^failures:$/,$p' "$log" | sed -n 's/^    \([a-z_]*::.*\)$/\1/p' | sort -u)
        if [ ${#caught[@]} -eq 0 ]; then
            caught=("(the tests did not end)")
        fi
        echo "caught  $name: ${#caught[@]} tests, such as ${caught[0]}"
    fi
    (cd "$scratch" && patch --quiet --reverse -p1 <"$patch")
done
echo "${#names[@]} mutations, $missed not caught"
[ "$missed" -eq 0 ]
