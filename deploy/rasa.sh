#!/bin/sh
# Installs Rasa into an environment of its own, trains the model and runs the server on loopback, each once:
#   deploy/rasa.sh BIN made           tells by its exit status whether the two below have nothing to do
#   deploy/rasa.sh BIN install        the environment; prints its folder
#   deploy/rasa.sh BIN train          and the model; prints its file
#   deploy/rasa.sh BIN serve [PORT]   and the server, in the foreground (5005)
# BIN is the bin folder of the product's environment. What is made lies outside the checkout, named by the hash of what it
# is made of, so that a second run finds it: $QIAOYI_CACHE, else qiaoyi/ in the user's cache folder.
set -eu
bin=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
cache=${QIAOYI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/qiaoyi}
mkdir -p "$cache/temporary"
cache=$(cd "$cache" && pwd)
chmod 700 "$cache/temporary"
export RASA_TELEMETRY_ENABLED=false TF_CPP_MIN_LOG_LEVEL=2 PYTHONWARNINGS=ignore
export TMPDIR="$cache/temporary" # jieba trusts a file of a known name there: not in a folder that others write

say() { echo "$*" >&2; }
hash_of() { "$bin/python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:16])'; }

# Two that start at once: the second waits and finds everything made.
alone() { command -v flock >/dev/null 2>&1 && flock 9 || true; }

find_python() {
    for candidate in "$HOME"/.pyenv/versions/3.10.*/bin/python python3.10; do
        if [ "$("$candidate" -c 'import sys; print(sys.version_info[:2] == (3, 10))' 2>/dev/null)" = True ]; then
            python=$candidate version=310
            return
        fi
    done
    for candidate in "$bin/python" "$HOME"/.pyenv/versions/3.11.*/bin/python python3.11; do
        if [ "$("$candidate" -c 'import sys; print(sys.version_info[:2] == (3, 11))' 2>/dev/null)" = True ]; then
            python=$candidate version=311
            say "No Python 3.10 here: taking 3.11, which Rasa does not support (it needs a C compiler to install)."
            return
        fi
    done
    say "Rasa needs Python 3.10 (3.11 works, unsupported); neither is here."
    exit 1
}

with_uv() {
    if ! command -v uv >/dev/null 2>&1 && ! [ -x "$cache/uv/bin/uv" ]; then
        "$bin/python" -m venv "$cache/uv" || return 1
        "$cache/uv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
            -r nlu/rasa/requirements-uv.txt >&2 || return 1
    fi
    PATH="$cache/uv/bin:$PATH" uv pip install --quiet --python "$environment/bin/python" --no-deps --require-hashes \
        -r "$lock" >&2
}

with_pip() {
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python \
        --require-hashes -r "$lock" >&2
}

name_environment() {
    find_python
    lock=nlu/rasa/requirements-py$version.txt
    environment=$cache/rasa-$({ "$python" -c 'import sys; print(sys.executable)' && cat "$lock"; } | hash_of)
}

name_model() {
    build=$(mktemp -d)
    trap 'rm -rf "$build"' EXIT
    trap 'exit 143' TERM INT
    "$bin/python" -m nlu.rasa_export "$build"
    model=$cache/rasa-models/$(cat "$lock" "$build"/*.yml "$build"/dictionary/* | hash_of).tar.gz
}

made() {
    name_environment
    name_model
    [ -e "$environment/.installed" ] && [ -e "$model" ]
}

install() {
    name_environment
    [ -e "$environment/.installed" ] && return
    say "Installing Rasa 3.6.21 into $environment (1.7 GB, once)."
    rm -rf "$environment"
    "$python" -m venv "$environment" >&2
    # uv leaves alone what asks for another Python, so 3.11 is pip's.
    if [ "$version" = 311 ] || ! with_uv; then with_pip; fi
    touch "$environment/.installed"
}

train() {
    install
    name_model
    if ! [ -e "$model" ]; then
        say "Training the Rasa model (one to two minutes, once for these examples)."
        mkdir -p "$cache/rasa-models"
        if ! (cd "$build" && "$environment/bin/rasa" train nlu --config config.yml --nlu nlu.yml --out models \
            --fixed-model-name model) >"$cache/rasa-train.log" 2>&1; then
            say "Rasa did not train; the end of $cache/rasa-train.log:"
            tail -n 20 "$cache/rasa-train.log" >&2
            exit 1
        fi
        mv "$build/models/model.tar.gz" "$model"
        find "$cache/rasa-models" -name '*.tar.gz' -mtime +30 -delete
    fi
    touch "$model"
}

case "${2:-}" in
made) made ;;
install) exec 9>"$cache/rasa.lock"; alone; install; echo "$environment" ;;
train) exec 9>"$cache/rasa.lock"; alone; train; echo "$model" ;;
serve)
    exec 9>"$cache/rasa.lock"; alone; train; exec 9>&-
    say "Starting Rasa on http://127.0.0.1:${3:-5005} (up to a minute)."
    rm -rf "$build"
    cd "$cache"
    exec "$environment/bin/rasa" run --enable-api --model "$model" --interface 127.0.0.1 --port "${3:-5005}"
    ;;
*) say "usage: deploy/rasa.sh BIN made|install|train|serve [PORT]"; exit 2 ;;
esac
