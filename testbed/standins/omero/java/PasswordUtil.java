// SPDX-License-Identifier: GPL-3.0-or-later
package ome.security.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;

/** What `omero db script` asks for the hash of root's first password. */
public final class PasswordUtil {
    public static void main(String[] arguments) throws Exception {
        byte[] digest = MessageDigest.getInstance("MD5").digest(arguments[0].getBytes(StandardCharsets.UTF_8));
        System.out.println(Base64.getEncoder().encodeToString(digest));
    }
}
