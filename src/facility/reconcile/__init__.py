# SPDX-License-Identifier: GPL-3.0-or-later
"""The facility is compared with what it should be: ``python -m facility.reconcile``, on the controller, each night.

One run: no other one is under way, the checkout is as it was committed; every playbook of site.yml in check mode; what
the policy allows is mended, and looked at again; every service is asked (verify.yml); a report as JSON and as one page.
events.py, verdict.py and policy.py are pure, runs.py is the port to ansible-runner, page.py draws.
"""
