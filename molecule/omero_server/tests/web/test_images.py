# SPDX-License-Identifier: GPL-3.0-or-later
"""What people find in OMERO.web."""

import json
import re
import uuid

import pytest

testinfra_hosts = ["podman://omero1.omero.test"]


@pytest.fixture
def carlas(carla, visitor):
    """Carla's browser after a log-in of its own, and who she is there."""
    status, answer = visitor.log_in(carla.login, carla.password)
    assert status == 200, answer
    return visitor, answer["eventContext"]


def test_an_image_that_was_imported_is_listed_to_its_owner(carla, carlas):
    visitor, context = carlas
    name = f"{uuid.uuid4().hex[:8]} Zellkern ä.png"
    number = carla.import_image(name)
    where = f"?orphaned=true&experimenter_id={context['userId']}&group={context['groupId']}"
    status, text = visitor.open(f"/webclient/api/images/{where}")
    assert status == 200, text
    assert {"id": number, "name": name}.items() <= next(
        image for image in json.loads(text)["images"] if image["id"] == number
    ).items()


def test_a_person_of_another_group_does_not_see_it(carla, browser, dora, visitor):
    context = browser.context
    name = f"{uuid.uuid4().hex[:8]}.png"
    carla.import_image(name)
    assert visitor.log_in(dora.login, dora.password)[0] == 200
    for group in (context["groupId"], -1):
        where = f"?orphaned=true&experimenter_id={context['userId']}&group={group}"
        assert name not in visitor.open(f"/webclient/api/images/{where}")[1]


def test_the_additions_are_there_and_linked(carlas):
    visitor, _ = carlas
    status, text = visitor.open("/figure/")
    assert status == 200
    assert "OMERO.figure" in text
    assert 'href="/figure/"' in visitor.open("/webclient/")[1]
    static = re.search(r'(?:src|href)="(/static/omero_figure/[^"]+)"', text)
    assert visitor.open(static.group(1))[0] == 200
