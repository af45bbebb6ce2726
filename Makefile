# Python 3.11 or later (with venv) and make are all that a fresh machine needs: every command sets up first what it uses,
# below this folder, from locked versions. What each command does: CONTRIBUTING.md.

# Many images set this variable; then every process compiles all of aws_cdk anew, seconds each time.
export PYTHONDONTWRITEBYTECODE :=
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
# The embedded cloud's own environment, which users have in their cache folder.
export SERVERLESS_PATTERNS_CACHE ?= $(CURDIR)/.cache/embedded-cloud
# Nothing that runs here reports to anybody.
export CDK_DISABLE_CLI_TELEMETRY := true

# Which of the apps: `make demo APP=media`; also with `synth` and `deploy`.
APP := shop

SET_UP := sh tools/python.sh tools/set_up.py
PACKAGES_READY := .venv/packages-ready
PROJECT_READY := .venv/project-ready
CDK_READY := .venv/cdk-ready
NODE_READY := node_modules/ready
CLOUD_READY := .cache/embedded-cloud/ready
SCANNERS_READY := .cache/checkov/ready

.PHONY: demo test test-fast check bench synth deploy api-account clean setup parts layers
.DEFAULT_GOAL := setup

setup:
	@$(MAKE) --no-print-directory -j3 parts

parts: $(PROJECT_READY) $(CDK_READY) $(NODE_READY) $(CLOUD_READY) layers

demo: setup
	@python apps/$(APP)/drive.py

test: export CDK_VALIDATION ?= false
test: setup $(SCANNERS_READY)
	@python -m pytest -n 3

test-fast: export CDK_VALIDATION ?= false
test-fast: setup
	@python -m pytest tests/template tests/runtime

check: export CDK_VALIDATION ?= false
check: setup
	ruff format --check .
	ruff check .
	pyright
	lint-imports
	python -m pytest -q tests/test_house.py tests/packaging/test_locks.py tests/test_docs.py

bench: setup
	@python -m bench

synth: setup
	@cdk synth --app "python apps/$(APP)/app.py"

# Checks before it deploys: without API Gateway's role a deployment fails after minutes, and is rolled back.
deploy: setup
	@cdk synth --quiet --app "python apps/$(APP)/app.py" --output cdk.out
	@python tools/check_api_account.py cdk.out
	@cdk deploy --all --app cdk.out

api-account: setup
	@cdk deploy --app "python apps/account/app.py" --output out/api-account ApiAccount

clean:
	rm -rf .venv node_modules .cache out dist cdk.out apps/*/cdk.out constructs/serverless_patterns/_layers
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PACKAGES_READY): requirements-dev.lock tools/set_up.py
	@$(SET_UP) packages && touch $@

$(PROJECT_READY): pyproject.toml tools/hatch_build.py $(PACKAGES_READY)
	@$(SET_UP) project && touch $@

$(CDK_READY): $(PACKAGES_READY)
	@$(SET_UP) cdk && touch $@

$(NODE_READY): package-lock.json package.json .npmrc | $(PACKAGES_READY)
	@$(SET_UP) node && touch $@

$(CLOUD_READY): constructs/serverless_patterns/testing/environments/emulator.lock | $(PROJECT_READY)
	@$(SET_UP) cloud && touch $@

$(SCANNERS_READY): tests/scanners/checkov.lock | $(PACKAGES_READY)
	@$(SET_UP) checkov && touch $@

# Compares contents, not times: a layer older than the runtime's source would be tested and deployed in its place.
layers: | $(PROJECT_READY)
	@python tools/layers.py
