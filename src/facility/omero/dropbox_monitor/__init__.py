# SPDX-License-Identifier: GPL-3.0-or-later
"""The DropBox monitor: says every few seconds what OMERO.dropbox watches and imports, and which files OMERO has.

Whoever feeds the DropBox can't know: OMERO.dropbox answers nobody, and what arrives while it is down it never imports.
So this process, which runs as OMERO's own user, looks at OMERO.dropbox's two processes and asks OMERO. It reads

    asked.json    {"sets": ["aadler/set", "aadler/loose.tif"]}, paths relative to the DropBox folder

and replaces, as a whole,

    report.json   {"time", "alive", "since", "watching", "importing", "imported"}

time is when the report was begun, in epoch seconds; alive says whether both processes run and have proven that they
hear (canary.py), since when the younger of them started; watching names the folders of the DropBox that carry a watch
and belong to people whom OMERO knows (it passes over others' files without a word); importing the files that an
importer has in hand now; imported the files of each asked set that OMERO has as images; sets for which the time did
not suffice are no keys in it, and come first in the next report. When OMERO can't be asked
there is no new report: readers look at its age.
"""
