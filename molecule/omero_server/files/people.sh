
person alice Alice Adler
person bob Bob Bär
person stranger Sam Stranger
person expired Olga Over
samba-tool user setexpiry expired --days=-1 >/dev/null
samba-tool user create --userou="OU=Service Accounts" -- svc-omero "$PASSWORD" >/dev/null
for group in facility-users rg-neuro rg-plant; do samba-tool group add $group --groupou=OU=Groups >/dev/null; done
samba-tool group addmembers facility-users rg-neuro,rg-plant >/dev/null
samba-tool group addmembers rg-neuro alice,expired,bob >/dev/null
samba-tool group addmembers rg-plant bob >/dev/null
start_directory
