// SPDX-License-Identifier: GPL-3.0-or-later
package ome.formats.importer.cli;

import java.io.File;
import java.util.ArrayList;
import java.util.List;

/** Where `omero import` looks for the importer; hands on to the stand-in's, in Python, with the same arguments. */
public final class CommandLineImporter {
    public static void main(String[] arguments) throws Exception {
        File client = new File(CommandLineImporter.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        File standin = new File(client.getParentFile().getParentFile(), "standin");
        List<String> command = new ArrayList<>(List.of("python", "-m", "omero_standin.importer"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        builder.environment().put("PYTHONPATH", standin + ":" + standin + "/vendor");
        System.exit(builder.start().waitFor());
    }
}
