#!/bin/sh
# Everything that is checked, in the order in which a mistake is found soonest. Tests come last: their closing line counts.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin
# Processes that the tests start take seconds longer where nothing that was compiled is kept.
unset PYTHONDONTWRITEBYTECODE

# On Debian as root the parts that the tests run against are installed; elsewhere a missing one is a skip with its reason.
missing=""
for part in redis-server:redis-server mariadbd:mariadb-server chromium:chromium turnserver:coturn storescu:dcmtk Orthanc:orthanc nginx:nginx-light; do
    command -v "${part%%:*}" >/dev/null 2>&1 || missing="$missing ${part##*:}"
done
[ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || missing="$missing orthanc-dicomweb"
[ -e /usr/share/fonts/truetype/wqy/wqy-microhei.ttc ] || missing="$missing fonts-wqy-microhei"
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing for the tests:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086  # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

# The FHIR server that the tests run against, where there is Node.js on the system or from PyPI (deploy/build-web.sh).
(PATH="$PWD/$bin:$PATH" && npm --prefix tests/support/fhir_server ci --loglevel=error >/dev/null)

# Rasa, in its own environment: installed and trained (once) while the code is looked at, then running beside the tests.
rasa_port=$($bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
if deploy/rasa.sh $bin install >/dev/null; then
    nice -n 10 deploy/rasa.sh $bin train >/dev/null &
    rasa=$!
    trap 'kill "$rasa" 2>/dev/null || true' EXIT
elif [ "${CI:-}" = true ]; then
    exit 1
else
    rasa=""
fi

echo "format and lint"; $bin/ruff format --check --quiet . ; $bin/ruff check --quiet .
echo "types"; $bin/mypy
echo "rooms and arrows"; $bin/lint-imports --no-cache
echo "pages"; npm --prefix web run --silent check
if [ -n "$rasa" ]; then
    echo "rasa"; wait "$rasa"
    log=$(mktemp)
    deploy/rasa.sh $bin serve "$rasa_port" >"$log" 2>&1 &
    rasa=$!
    trap 'kill "$rasa" 2>/dev/null || true; rm -f "$log"' EXIT
    export RASA_TEST_URL="http://127.0.0.1:$rasa_port" RASA_TEST_LOG="$log"
fi
echo "tests"; $bin/python -m pytest -n 2 --dist worksteal "$@"
