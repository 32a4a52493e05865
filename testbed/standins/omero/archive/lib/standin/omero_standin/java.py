# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in Java's place: ``java [JVM's options] PROGRAM [ICE'S OPTIONS]``.

Java 17 ends each of OMERO's servers at its start unless one package is opened to its libraries.
"""

import runpy
import sys

OPENED = "--add-opens=java.base/java.lang=ALL-UNNAMED"
# Where java.util.prefs keeps its files; in OMERO's home, by default, which OMERO may not write.
PREFERENCES = "-Djava.util.prefs.userRoot="
PROGRAMS = {
    "ome.services.blitz.Entry": ("omero_standin", ()),
    "ome.fulltext": ("omero_standin.inner", ("IndexerAdapter",)),
    "ome.pixeldata": ("omero_standin.inner", ("PixelDataAdapter",)),
}


def main() -> None:
    """Become the program that is named; end as Java would without the option that it needs."""
    given = [item for item in sys.argv[1:] if item.startswith(("-X", "-D", "--add-opens"))]
    program, *rest = [item for item in sys.argv[1:] if item not in given]
    if OPENED not in given:
        sys.exit(
            "bitronix.tm.internal.BitronixRuntimeException: error initializing JdbcProxyFactory\n"
            "Caused by: java.lang.reflect.InaccessibleObjectException: Unable to make protected final java.lang.Class "
            'java.lang.ClassLoader.defineClass accessible: module java.base does not "opens java.lang" to it'
        )
    module, arguments = PROGRAMS[program]
    # Blitz wants to know of its own options; Ice takes those that it knows.
    sys.argv = [program, *arguments, *(given if module == "omero_standin" else ()), *rest]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
