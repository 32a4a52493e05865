
person reader Rita Reader
person staff Sten Staff
person admin Ida Admin
person expired Olga Over
person stranger Sam Stranger
samba-tool user setexpiry expired --days=-1 >/dev/null
samba-tool user create --userou="OU=Service Accounts" -- svc-wiki "$PASSWORD" >/dev/null
for group in facility-users facility-staff facility-it rg-neuro; do samba-tool group add $group --groupou=OU=Groups >/dev/null; done
# The reader is a user of the facility only through the research group.
samba-tool group addmembers facility-users rg-neuro,facility-staff,facility-it >/dev/null
samba-tool group addmembers rg-neuro reader,expired >/dev/null
samba-tool group addmembers facility-staff staff >/dev/null
samba-tool group addmembers facility-it admin >/dev/null
start_directory
