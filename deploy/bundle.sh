#!/usr/bin/env bash
# Everything that a site without a registry or a way to the internet needs, in one folder: images, what starts them, models,
# documents, what is inside the images, and the digest of every file. deploy/install.sh --offline proves and loads it there.
#
#   deploy/bundle.sh -o FOLDER [--profiles cpu,monitoring]
#
#   FOLDER/images.tar             every image of the stack and of these profiles (those of .env if not given)
#   FOLDER/deploy/                compose.yaml, install.sh and what belongs to them; no .env, no passwords
#   FOLDER/model_repository/      the models (STACK_MODELS)
#   FOLDER/docs/                  the documents
#   FOLDER/sbom/                  a CycloneDX document an image: Python's and Debian's packages
#   FOLDER/SHA256SUMS             over all of these
#
#   ENGINE   docker or podman, which has the images; PYTHON   a Python with cyclonedx-bom (make install), ../.venv's if not given
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./stack.sh

stop() { echo "bundle.sh: $1" >&2; exit "${2:-1}"; }

target=
while [ $# -gt 0 ]; do
  case $1 in
    -o) [ $# -gt 1 ] || stop "-o needs a folder" 2; target=$2; shift 2 ;;
    --profiles) [ $# -gt 1 ] || stop "--profiles needs a list" 2; export COMPOSE_PROFILES=$2; shift 2 ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$(basename "${BASH_SOURCE[0]}")"; exit 0 ;;
    *) stop "there is no option $1; --help lists them" 2 ;;
  esac
done
[ -n "$target" ] || stop "say where: -o FOLDER" 2
case $target in /*) ;; *) target=$called_from/$target ;; esac
[ ! -e "$target" ] || stop "$target exists: a bundle never replaces another; give a new name [BUNDLE_EXISTS]"
[ -d "$(dirname "$target")" ] || stop "there is no folder $(dirname "$target") [BUNDLE_UNWRITABLE]"
python=${PYTHON:-../.venv/bin/python}
"$python" -c 'import cyclonedx_py' 2>/dev/null || stop "$python has no cyclonedx-bom: run make install, or set PYTHON [SBOM_TOOL]"
find_engine
engine_answers || stop "neither docker nor podman answers, so there are no images to take [ENGINE]"

mapfile -t images < <(images | cut -d' ' -f2 | sort -u)
for image in "${images[@]}"; do
  "$engine" image inspect "$image" >/dev/null 2>&1 || stop "$image is not here: build it or pull it first [IMAGES]"
done

work=$target.unfinished
rm -rf "$work"
trap 'rm -rf "$work"' EXIT
scratch=$work/scratch                # on the disk that has room for images
mkdir -p "$scratch" "$work/sbom" "$work/deploy"

# ---- what stands beside the images

cp compose.yaml .env.example install.sh preflight.sh stack.sh README.md osteon.example.toml "$work/deploy/"
for folder in redis orthanc monitoring; do
  if [ -d "$folder" ]; then cp -r "$folder" "$work/deploy/"; fi
done
cp -r ../docs ../LICENSE ../CHANGELOG.md "$work/"
cp -r "$(setting STACK_MODELS)" "$work/model_repository"

# ---- what is in each image

# Python packages and the list of Debian packages of one image, for sbom.py.
look_into() {
  local image=$1 place container
  place=$scratch/images/$(printf '%s' "${image##*/}" | tr ':' '-')
  mkdir -p "$place"
  printf '%s\n' "$image" >"$place/image"
  # shellcheck disable=SC2016 # dpkg-query's own variables
  "$engine" run --rm --network none --entrypoint dpkg-query "$image" --show \
    --showformat='${Package}\t${Version}\t${Architecture}\n' >"$place/debian" 2>/dev/null || : >"$place/debian"
  container=$("$engine" create "$image")
  "$engine" cp "$container:/opt/osteon/lib/python3.11/site-packages" "$place/packages" >/dev/null 2>&1 || true
  "$engine" rm --force "$container" >/dev/null
}

for image in "${images[@]}"; do look_into "$image"; done
"$python" sbom.py "$scratch/images" "$work/sbom"

# ---- the images, and the digest of everything

archive=()
if "$engine" --version | grep -qi podman; then archive=(--multi-image-archive --quiet); fi
"$engine" save "${archive[@]}" --output "$work/images.tar" "${images[@]}" >/dev/null
printf '%s\n' "${images[@]}" >"$work/images.txt"
rm -rf "$scratch"
sums=$(cd "$work" && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum)
printf '%s\n' "$sums" >"$work/SHA256SUMS"
sync
mv "$work" "$target"
echo "${#images[@]} images in $target; tell the site this number by another way: $(sha256sum "$target/SHA256SUMS" | cut -d' ' -f1)"
