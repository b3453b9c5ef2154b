#!/usr/bin/env bash
# Triton for machines without a GPU and without NVIDIA's image: the server of the nvidia-pytriton wheel, and our
# TorchScript backend for it. PyPI wheels only. This server is older than the fixes of CVE-2025-23319 and its kin: let only
# the workers reach it.
#
#   deploy/triton_cpu/install.sh [TARGET]     TARGET: .triton of the project if not given
#
#   PYTHON        the Python 3.11 whose torch the server runs; python3.11 if not given. Torch is not installed again: the
#                 server's own environment looks into that one's packages behind its own numpy.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$here/../../.triton}
python=${PYTHON:-python3.11}
server="nvidia-pytriton==0.7.0"        # carries tritonserver 2.51.0
numpy="numpy==1.26.4"                  # with numpy 2 this build answers success and an empty array

wanted=$(printf '%s\n' "$server" "$numpy" "$("$python" -c 'import sys; print(sys.version, sys.prefix)')"; sha256sum "$0" | cut -d' ' -f1)
[ -f "$target/installed" ] && [ "$(cat "$target/installed")" = "$wanted" ] && exit 0

"$python" -c 'import torch' || { echo "$python has no torch; set PYTHON to one that has" >&2; exit 1; }
libdir=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
[ -e "$libdir/libpython3.11.so.1.0" ] || libdir=/usr/lib/$(uname -m)-linux-gnu
[ -e "$libdir/libpython3.11.so.1.0" ] || { echo "Triton's Python backend needs Debian's libpython3.11" >&2; exit 1; }
rm -rf "$target" && mkdir -p "$target"
target=$(cd "$target" && pwd)
"$python" -m venv --without-pip "$target/env"
packages=$target/env/lib/python3.11/site-packages
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$target/wheel" "$server"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$packages" "$numpy"
"$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$packages/torch.pth"

mkdir -p "$target/backends"
cp -r "$target/wheel/pytriton/tritonserver/backends/python" "$target/backends/python"
cp "$target/wheel/pytriton/tritonserver/python_backend_stubs/3.11/triton_python_backend_stub" "$target/backends/python/"
chmod +x "$target/wheel/pytriton/tritonserver/bin/tritonserver" "$target/backends/python/triton_python_backend_stub"
ln -s "$here/pytorch" "$target/backends/pytorch"
printf '%s' "$libdir" > "$target/libdir"
printf '%s' "$wanted" > "$target/installed"
