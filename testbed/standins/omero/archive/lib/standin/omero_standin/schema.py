# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables, one a class of OMERO's model, and how they hang together.

Names follow OMERO's own database: the table is the class in lower case, the column the attribute in lower case, and a
reference holds the other row's id.
"""

from dataclasses import dataclass, field

TEXT, NUMBER, REAL, YES_NO, TIME = "text", "bigint", "double precision", "boolean", "timestamp with time zone"


@dataclass(frozen=True)
class Table:
    """One class.

    Attributes:
        columns: attribute to SQL type.
        references: attribute to the class that it points to.
        collections: attribute to (class, its attribute that points back here).
        owned: rows belong to a person and a group, who decide about who may see them.
    """

    columns: dict[str, str]
    references: dict[str, str] = field(default_factory=dict)
    collections: dict[str, tuple[str, str]] = field(default_factory=dict)
    owned: bool = True


def _link(parent: str, child: str) -> Table:
    return Table({}, {"parent": parent, "child": child})


def _named(**collections: tuple[str, str]) -> Table:
    return Table({"name": TEXT, "description": TEXT}, {}, collections)


TABLES = {
    "Experimenter": Table(
        {
            "omeName": TEXT, "firstName": TEXT, "middleName": TEXT, "lastName": TEXT, "institution": TEXT,
            "email": TEXT, "ldap": YES_NO,
        },
        {},
        {"groupExperimenterMap": ("GroupExperimenterMap", "child")},
        owned=False,
    ),
    "ExperimenterGroup": Table(
        {"name": TEXT, "description": TEXT, "ldap": YES_NO, "permissions": NUMBER},
        {},
        {"groupExperimenterMap": ("GroupExperimenterMap", "parent")},
        owned=False,
    ),
    # child_index 0 is a person's default group.
    "GroupExperimenterMap": Table(
        {"owner": YES_NO, "child_index": NUMBER},
        {"parent": "ExperimenterGroup", "child": "Experimenter"},
        owned=False,
    ),
    "Event": Table(
        {"time": TIME}, {"experimenter": "Experimenter", "experimenterGroup": "ExperimenterGroup"}, owned=False
    ),
    "OriginalFile": Table(
        {"name": TEXT, "path": TEXT, "size": NUMBER, "hash": TEXT, "mimetype": TEXT, "repo": TEXT, "hasher": TEXT}
    ),
    "Fileset": Table(
        {"templatePrefix": TEXT}, {}, {"usedFiles": ("FilesetEntry", "fileset"), "images": ("Image", "fileset")}
    ),
    "FilesetEntry": Table(
        {"clientPath": TEXT, "fileset_index": NUMBER}, {"fileset": "Fileset", "originalFile": "OriginalFile"}
    ),
    "Image": Table(
        {"name": TEXT, "description": TEXT, "acquisitionDate": TIME, "archived": YES_NO, "series": NUMBER},
        {"fileset": "Fileset"},
        {
            "pixels": ("Pixels", "image"),
            "datasetLinks": ("DatasetImageLink", "child"),
            "annotationLinks": ("ImageAnnotationLink", "parent"),
            "wellSamples": ("WellSample", "image"),
            "rois": ("Roi", "image"),
        },
    ),
    "Pixels": Table(
        {
            "sizeX": NUMBER, "sizeY": NUMBER, "sizeZ": NUMBER, "sizeC": NUMBER, "sizeT": NUMBER, "sha1": TEXT,
            "pixelsType": TEXT, "dimensionOrder": TEXT,
        },
        {"image": "Image"},
        {"thumbnails": ("Thumbnail", "pixels"), "settings": ("RenderingDef", "pixels")},
    ),
    "Thumbnail": Table({"version": NUMBER}, {"pixels": "Pixels"}),
    "RenderingDef": Table({"version": NUMBER}, {"pixels": "Pixels"}),
    "Project": _named(
        datasetLinks=("ProjectDatasetLink", "parent"), annotationLinks=("ProjectAnnotationLink", "parent")
    ),
    "Dataset": _named(
        imageLinks=("DatasetImageLink", "parent"), projectLinks=("ProjectDatasetLink", "child"),
        annotationLinks=("DatasetAnnotationLink", "parent"),
    ),
    "Screen": _named(plateLinks=("ScreenPlateLink", "parent"), annotationLinks=("ScreenAnnotationLink", "parent")),
    "Plate": _named(
        screenLinks=("ScreenPlateLink", "child"), plateAcquisitions=("PlateAcquisition", "plate"),
        wells=("Well", "plate"), annotationLinks=("PlateAnnotationLink", "parent"),
    ),
    "PlateAcquisition": Table(
        {"name": TEXT, "startTime": TIME, "endTime": TIME}, {"plate": "Plate"},
        {"wellSample": ("WellSample", "plateAcquisition"),
         "annotationLinks": ("PlateAcquisitionAnnotationLink", "parent")},
    ),
    "Well": Table(
        {"row": NUMBER, "column": NUMBER}, {"plate": "Plate"},
        {"wellSamples": ("WellSample", "well"), "annotationLinks": ("WellAnnotationLink", "parent")},
    ),
    "WellSample": Table(
        {"well_index": NUMBER}, {"well": "Well", "image": "Image", "plateAcquisition": "PlateAcquisition"}
    ),
    "Roi": Table({"description": TEXT}, {"image": "Image"}),
    "Annotation": Table({"ns": TEXT, "textValue": TEXT, "discriminator": TEXT}),
    "TagAnnotation": Table({"ns": TEXT, "textValue": TEXT, "description": TEXT}),
    "ProjectDatasetLink": _link("Project", "Dataset"),
    "DatasetImageLink": _link("Dataset", "Image"),
    "ScreenPlateLink": _link("Screen", "Plate"),
    "AnnotationAnnotationLink": _link("Annotation", "Annotation"),
    **{
        f"{parent}AnnotationLink": _link(parent, "Annotation")
        for parent in ("Project", "Dataset", "Image", "Screen", "Plate", "PlateAcquisition", "Well")
    },
}  # fmt: skip

PERSON, GROUP, CREATION = "owner_id", "group_id", "creation_id"


def sql() -> str:
    """Return the commands that make all tables, as `omero db script` copies them into its script."""
    parts = []
    for name, table in TABLES.items():
        lines = ["id bigserial primary key"]
        # A column may carry a word of SQL's as its name; OMERO quotes, too.
        lines += [f'"{column.lower()}" {kind}' for column, kind in table.columns.items()]
        lines += [f'"{column.lower()}" bigint' for column in table.references]
        if table.owned:
            lines += [f"{column} bigint not null" for column in (PERSON, GROUP, CREATION)]
        parts.append(f"CREATE TABLE {name.lower()} ({', '.join(lines)});")
        parts += [
            f'CREATE INDEX i_{name.lower()}_{column.lower()} ON {name.lower()} ("{column.lower()}");'
            for column in table.references
        ]
    parts += [
        "CREATE TABLE password (experimenter_id bigint primary key, hash text, dn text);",
        "CREATE TABLE adminprivilege (experimenter_id bigint, value text);",
        "CREATE TABLE dbpatch (id bigserial primary key, currentversion text, currentpatch bigint,"
        " finished timestamp);",
        "CREATE TABLE configuration (name text primary key, value text);",
        "CREATE UNIQUE INDEX u_experimenter_omename ON experimenter (omename);",
        "CREATE UNIQUE INDEX u_experimentergroup_name ON experimentergroup (name);",
        "CREATE INDEX i_filesetentry_clientpath ON filesetentry (clientpath);",
    ]
    return "\n".join(parts) + "\n"
