# SPDX-License-Identifier: GPL-3.0-or-later
"""settle: moves complete file sets from people's folders into OMERO's DropBox; nothing lost, twice or half.

Its other half is the DropBox monitor, a process of user omero-server that says what OMERO.dropbox does. They share two
files, both JSON, each replaced as a whole by its writer (written beside, then renamed). Paths in both are relative to
DropBox, parted by "/", and name a *set* as ``<login>/<name>``.

``asked_file``, by settle:   {"sets": ["aadler/set", "aadler/loose.tif"]}
    Every set that settle needs to know about: offered ones that aren't done, and those just taken back.

``monitor_file``, by the DropBox monitor, every few seconds:
    time       epoch seconds at which this report was *begun*: what OMERO did later need not be in it.
    alive      whether both of OMERO's watching processes run.
    since      epoch seconds at which the younger of them started.
    watching   names of the folders of DropBox that carry an inotify watch: ["aadler"].
    importing  files in OMERO's hands at this moment: ["aadler/set/sub/b.tif", "aadler/loose.tif"].
    imported   for each asked set the files that OMERO has, relative to the set: {"aadler/set": ["a.tif", "sub/b.tif"]}.
               A set that is one loose file has its own name in the list: {"aadler/loose.tif": ["loose.tif"]}.
               Nothing imported yet is an empty list. A set that is *no key* was not looked up: settle then knows
               nothing about it, and neither closes nor repeats it.

OMERO remembers a file by its path below DropBox, also when it is gone from there. So settle uses each name once and for
all, and asks about a set by the name under which it was offered, even after it was taken back.
"""
