# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs together, format by format: the names that Bio-Formats looks for."""

from __future__ import annotations

import pytest

from facility.drive.settle.families import FAMILIES, apart, fold, gathering, lacking, may_lack, stem, takes

# An image as its files and folders (with a slash) lie loosely in a person's folder, and the same without a part of it.
IMAGES = {
    "Olympus cellSens": (["Image.vsi", "_Image_/"], "_Image_/"),
    "MetaMorph": (["exp1.nd", "exp1_w1DAPI_s1_t1.stk", "exp1_w2GFP_s12_t10.stk"], "exp1_w1DAPI_s1_t1.stk"),
    "MetaMorph, TIFF": (["exp1.nd", "exp1_w1DAPI.tif"], "exp1_w1DAPI.tif"),
    "Olympus FluoView": (["a.oif", "a.oif.files/"], "a.oif.files/"),
    "Olympus FluoView, head": (["a.oif", "a.oif.files/"], "a.oif"),
    "3DHISTECH MIRAX": (["slide 1.mrxs", "slide 1/"], "slide 1/"),
    "Image Cytometry Standard": (["Scan.ICS", "scan.ids"], "Scan.ICS"),
    "Volocity": (["Library.mvd2", "Data/"], "Data/"),
    "GE InCell": (["plate.xdce", "A - 01(fld 1 wv DAPI - DAPI).tif"], "A - 01(fld 1 wv DAPI - DAPI).tif"),
    "OME-TIFF, companion file": (["multi.companion.ome", "z0.ome.tiff", "z1.ome.tiff"], "z0.ome.tiff"),
    "Leica LEI": (["x.lei", "series_ch00.tif"], "series_ch00.tif"),
    "Leica XLEF": (["Project.xlef", "Image 1.lof"], "Image 1.lof"),
    "Zeiss LSM database": (["day.mdb", "a.lsm", "b.lsm"], "a.lsm"),
    "Micro-Manager": (
        ["MM_1_MMStack_Pos0.ome.tif", "MM_1_MMStack_Pos0_metadata.txt", "DisplaySettings.json"],
        "",
    ),
    "CZI in parts": (["Experiment-01.czi", "Experiment-01 (1).czi", "Experiment-01 (2).czi"], ""),
}


def entries(names: list[str]) -> dict[str, bool]:
    return {name.rstrip("/"): name.endswith("/") for name in names}


@pytest.mark.parametrize("names", [image for image, _ in IMAGES.values()], ids=list(IMAGES))
def test_the_parts_of_an_image_have_one_stem_or_are_gathered_by_its_head(names):
    image = entries(names)
    stems = {fold(stem(name, folder=folder)) for name, folder in image.items()}
    families = gathering(name for name, folder in image.items() if not folder)
    gathered = all(gathering([name]) or takes(families, name, folder=folder) for name, folder in image.items())
    assert len(stems) == 1 or gathered


@pytest.mark.parametrize(("names", "part"), IMAGES.values(), ids=list(IMAGES))
def test_a_whole_image_lacks_nothing_and_one_without_its_part_is_seen(names, part):
    assert lacking(entries(names)) is None
    if not part:
        return
    rest = [name for name in names if name.rpartition(".")[2] != part.rpartition(".")[2] and name != part]
    assert any(map(may_lack, entries(rest)))
    assert lacking(entries(rest)) is not None


def test_it_is_said_what_an_image_lacks():
    assert lacking({"Image.vsi": False}) == ("Image.vsi", 'folder "_Image_"')
    assert lacking({"a.oif.files": True}) == ("a.oif.files", '"a.oif"')
    assert lacking({"scan.ids": False}) == ("scan.ids", '"scan.ics"')


def test_a_folder_of_the_wrong_kind_is_no_part():
    assert lacking({"Image.vsi": False, "_Image_": False}) is not None
    assert lacking({"Image.vsi": True, "_Other_": True}) is None


def test_names_are_compared_as_windows_does():
    assert fold("Größe") == fold("GRO\u0308\u00dfE".replace("\u00df", "ss"))
    assert stem("IMAGE.VSI", folder=False) == "IMAGE"
    assert lacking({"IMAGE.VSI": False, "_image_": True}) is None


def test_unrelated_images_stay_by_themselves():
    assert len({stem(name, folder=False) for name in ("a.tif", "b.tif", "a_t1.tif", "a_t2.tif")}) == 4
    assert not takes(gathering(["plate.xdce"]), "notes.docx", folder=False)
    assert not takes(gathering(["plate.xdce"]), "Day 3", folder=True)


@pytest.mark.parametrize("name", ["a.tif", "b.CZI", "c.nd2", "d.lif"])
def test_a_file_that_is_an_image_by_itself_may_be_given_alone(name):
    assert apart(name)


@pytest.mark.parametrize(
    "name", ["a.ome.tif", "a (1).czi", "a.vsi", "a.xdce", "x_MMStack_Pos0.tif", "unknown.xyz", "none", "a.dcm"]
)
def test_a_file_that_may_speak_of_others_goes_with_them(name):
    assert not apart(name)


def test_each_family_has_an_image_here():
    assert {family.name for family in FAMILIES} <= {
        name.partition(", head")[0].partition(", TIFF")[0] for name in IMAGES
    }
