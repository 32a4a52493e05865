#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: dokuwiki_page
short_description: Seed the pages of a DokuWiki and leave alone what people have made of them
description:
  - Writes pages that are not there, and brings pages that nobody but this module has written to a new text.
  - A page that a person has edited or deleted, or has open in the editor, is left as it is and reported.
  - Each write is a revision in the wiki's history, made by DokuWiki's own program as the web server's account.
  - Runs on the wiki's host as root. What it wrote is recognised by the wiki's own change log; there is no other state.
options:
  pages:
    description: The pages. A page that is not in the list is left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description: The page's id with its namespaces, such as C(safety:requirements), as DokuWiki itself spells it.
        type: str
        required: true
      content:
        description: The text in DokuWiki's syntax. Empty lines at both ends don't count.
        type: str
        required: true
  data_dir:
    description: The wiki's data folder, C($conf['savedir']).
    type: path
    default: /var/lib/dokuwiki/data
  program_dir:
    description: Where DokuWiki is installed.
    type: path
    default: /usr/share/dokuwiki
  owner:
    description: The account that the wiki runs as.
    type: str
    default: www-data
attributes:
  check_mode: {support: full, description: Shows exactly what a run would write.}
  diff_mode: {support: full, description: Shows the text of each page before and after.}
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: The facility's pages are there
  dokuwiki_page:
    pages:
      - id: start
        content: |
          ====== Welcome ======
          Read the [[safety:requirements|safety requirements]] first.
      - id: safety:requirements
        content: "{{ lookup('file', 'wiki/pages/safety/requirements.txt') }}"
"""

RETURN = r"""
created:
  description: Ids of the pages that were written for the first time, or would be in check mode.
  returned: success
  type: list
  elements: str
updated:
  description: Ids of the pages whose seeded text was replaced by a newer one.
  returned: success
  type: list
  elements: str
kept:
  description: Pages that differ from their seed and were left alone, as C(id) and C(reason).
  returned: success
  type: list
  elements: dict
  sample: [{id: reminders, reason: edited by sstein}]
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.wiki.pages import Wiki, WikiError, converge, seeds_of

ARGUMENTS: dict[str, Any] = {
    "pages": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"id": {"type": "str", "required": True}, "content": {"type": "str", "required": True}},
    },
    "data_dir": {"type": "path", "default": "/var/lib/dokuwiki/data"},
    "program_dir": {"type": "path", "default": "/usr/share/dokuwiki"},
    "owner": {"type": "str", "default": "www-data"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    wiki = Wiki(Path(module.params["data_dir"]), Path(module.params["program_dir"]), module.params["owner"])
    try:
        result = converge(wiki, seeds_of(module.params["pages"]), check_mode=module.check_mode)
    except WikiError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
