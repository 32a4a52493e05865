-- Who is always there, with OMERO's own numbers. The first password of root came in by `omero db script`.
INSERT INTO experimenter (id, omename, firstname, lastname, ldap) VALUES (0, 'root', 'root', 'root', false);
INSERT INTO experimenter (id, omename, firstname, lastname, ldap) VALUES (1, 'guest', 'Guest', 'Account', false);
INSERT INTO experimentergroup (id, name, ldap, permissions) VALUES (0, 'system', false, 0);
INSERT INTO experimentergroup (id, name, ldap, permissions) VALUES (1, 'user', false, 1);
INSERT INTO experimentergroup (id, name, ldap, permissions) VALUES (2, 'guest', false, 0);
INSERT INTO groupexperimentermap (parent, child, "owner", child_index) VALUES (0, 0, true, 0), (1, 0, false, 1), (2, 1, false, 0);
SELECT setval('experimenter_id_seq', 1);
SELECT setval('experimentergroup_id_seq', 2);
INSERT INTO password (experimenter_id, hash) VALUES (0, '@ROOTPASS@'), (1, '');
INSERT INTO configuration VALUES ('omero.db.uuid', gen_random_uuid()::text);
INSERT INTO dbpatch (currentversion, currentpatch, finished) VALUES ('@DBVERSION@', '@DBPATCH@', now());
COMMIT;
