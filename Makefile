# The commands of the project. `make` alone lists them.
SHELL := /bin/bash
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/facility-as-code
# Debian's own Python, whatever else is on PATH: the lock is made for it.
PYTHON := /usr/bin/python3
VENV := $(CACHE)/venv-$(shell cat requirements.lock testbed/tools.sh | sha256sum | cut -c1-16)
export PATH := $(VENV)/bin:$(PATH)
export CONTAINERS_CONF := $(CURDIR)/testbed/hosts/containers.conf
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

facility: root venv  ## the example facility on this machine: hosts, converge, verify, addresses and logins
	@python -m testbed facility

verify: root venv  ## ask every service of the running facility, changing nothing
	@python -m testbed verify

reconcile: venv  ## compare the running facility with what it should be; the report is build/reconcile/report.html
	@PYTHONPATH=src python -m facility.reconcile -i inventories/example/hosts.yml --accept-changes

hosts: root venv
	@python -m testbed up facility inventories/example/hosts.yml

converge: venv
	ansible-playbook playbooks/site.yml

test: root venv  ## all tests but those of today that no change since touches; with ALL=1 those, too
	@python -m testbed.suite $(if $(ALL),--again)

lint unit conformance acceptance: venv  ## a part of it
	@python -m testbed.suite $@

scenario: root venv  ## one molecule scenario: make scenario NAME=wiki
	@python -m testbed.scenario $(NAME)

drill: root venv  ## OMERO from its backups onto a scratch host of the running facility, checked and deleted again
	@python -m testbed.drill

bench: root venv  ## measure against baselines of the same run; writes build/bench.json
	@PYTHONPATH=src python -m tests.bench

campaign: root venv  ## kill or slow what carries images in the running facility, 300 times; every file is found again
	@PYTHONPATH=src python -m tests.faults --real --faults 300

attacks: root venv  ## what strangers and somebody with a stolen password try on the running facility; none may succeed
	@python -m pytest -q tests/attacks

lock: venv  ## resolve requirements.lock anew from pyproject.toml
	@testbed/lock.sh

clean: root venv  ## remove every host, network and name that the test bed made, and build/
	@python -m testbed clean

clean-cache: root venv  ## and images and virtual environments
	@python -m testbed clean --images
	rm -rf $(CACHE)

env: venv  ## the file to source for ansible-playbook and the other tools
	@echo $(VENV)/bin/activate

tools:  ## Debian packages that the commands need; only what is missing is installed
	@testbed/tools.sh

root:
	@test "$$(id -u)" = 0 || { echo "The test bed makes containers, networks and names: run as root, sudo make …" >&2; exit 1; }

venv: tools
	@test -e $(VENV)/.complete || $(PYTHON) testbed/environment.py $(VENV)

.PHONY: root help env facility drill verify hosts converge test lint unit conformance acceptance scenario bench campaign attacks lock clean clean-cache tools venv
