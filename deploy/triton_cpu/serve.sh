#!/usr/bin/env bash
# Start the Triton that install.sh put there.
#
#   deploy/triton_cpu/serve.sh REPOSITORY [tritonserver's options]
#
#   TRITON        where install.sh installed to; .triton of the project if not given.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
triton=$(cd "${TRITON:-$here/../../.triton}" && pwd)
repository=$1
shift
export LD_LIBRARY_PATH=$triton/wheel/nvidia_pytriton.libs:$(cat "$triton/libdir")
export PATH=$triton/env/bin:$PATH      # the stub finds its packages by the first python3
exec "$triton/wheel/pytriton/tritonserver/bin/tritonserver" \
  --model-repository "$repository" --backend-directory "$triton/backends" \
  --model-control-mode none --strict-readiness true --exit-on-error true --disable-auto-complete-config "$@"
