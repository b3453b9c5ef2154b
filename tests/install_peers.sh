#!/usr/bin/env bash
# The real programs that the tests talk to: Debian's packages, a Triton for the processor from PyPI, OHIF's build from npm.
# Installs what is missing where it may.
set -euo pipefail
cd "$(dirname "$0")/.."

python=.venv/bin/python
install_triton() { PYTHON=$python deploy/triton_cpu/install.sh; }
# The provider of tests/acceptance/test_sign_in.py, by the digests of its lock file.
install_provider() {
  [ -d tests/sign_in_provider/node_modules/oidc-provider ] \
    || npm ci --prefix tests/sign_in_provider --ignore-scripts --no-audit --no-fund --silent
}
install_ohif() { tests/install_ohif.sh; }

missing=()
[ -x /usr/sbin/Orthanc ] || missing+=(orthanc)
[ -x /usr/bin/chromium ] || missing+=(chromium)
command -v npm >/dev/null || missing+=(npm)
[ -x /usr/bin/storescu ] || missing+=(dcmtk)
[ -x /usr/bin/dciodvfy ] || missing+=(dicom3tools)
ldconfig -p | grep -q libpangoft2-1.0.so.0 || missing+=(libpango-1.0-0 libpangoft2-1.0-0)
ldconfig -p | grep -q libharfbuzz-subset.so.0 || missing+=(libharfbuzz-subset0)
command -v strace >/dev/null || missing+=(strace)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v promtool >/dev/null || missing+=(prometheus)
command -v openssl >/dev/null || missing+=(openssl)
[ -x /usr/sbin/rsyslogd ] && compgen -G '/usr/lib/*/rsyslog/lmnsd_ossl.so' >/dev/null || missing+=(rsyslog rsyslog-openssl)
command -v npm >/dev/null || missing+=(nodejs npm)
libpython='import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_config_var("LIBDIR") + "/libpython3.11.so.1.0"))'
[ -e "/usr/lib/$(uname -m)-linux-gnu/libpython3.11.so.1.0" ] || "$python" -c "$libpython" || missing+=(libpython3.11)
if [ ${#missing[@]} -eq 0 ]; then
  install_triton
  install_ohif
  install_provider
  exit 0
fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need these Debian packages: ${missing[*]}." >&2
  echo "Install them (sudo apt-get install --no-install-recommends ${missing[*]}) and run make test again." >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
# Debian's package starts a server; the tests start their own.
if [[ " ${missing[*]} " == *" prometheus "* ]] && [ -d /run/systemd/system ]; then systemctl disable --now --quiet prometheus; fi
install_triton
install_ohif
install_provider
