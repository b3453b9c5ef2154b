#!/usr/bin/env bash
# OHIF's ready build from npm (MIT), for tests/browser/test_ohif.py only: checked by its digest, and no part of Osteon.
set -euo pipefail

version=3.12.10
sha512=d24b85eba32af5cf5d303fbe6d4b138ccac9a57270699873f41e2e4b6e380dac008d2913c0860553dde9c4fb915108b16918bb4001e517715ed6ab9d06566b98
cache=${XDG_CACHE_HOME:-$HOME/.cache}/osteon
[ -d "$cache/ohif-$version" ] && exit 0

mkdir -p "$cache"
work=$(mktemp -d "$cache/.ohif-XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "@ohif/app@$version" >/dev/null)
echo "$sha512  $work/ohif-app-$version.tgz" | sha512sum --check --quiet
tar --extract --gzip --no-same-owner --file "$work/ohif-app-$version.tgz" --directory "$work" package/dist
mv "$work/package/dist" "$cache/ohif-$version"
