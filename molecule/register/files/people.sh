
person rita Rita Reader
person sten Sten Staff
person lena Lena Leaver
person dora Dora Disabled
person olga Olga Over
person ida Ida Admin
samba-tool domain passwordsettings set --quiet --min-pwd-age=0
# Rita's alone may be set by the register.
samba-tool ou add OU=Researchers,OU=People >/dev/null
samba-tool user move rita OU=Researchers,OU=People >/dev/null
samba-tool user create --userou="OU=Service Accounts" -- svc-register "$PASSWORD" >/dev/null
for group in facility-users facility-staff facility-it rg-neuro permanent-staff; do samba-tool group add $group --groupou=OU=Groups >/dev/null; done
samba-tool group addmembers facility-users rg-neuro,facility-staff,facility-it >/dev/null
samba-tool group addmembers rg-neuro rita >/dev/null
# Sten is staff only through a group in the group.
samba-tool group addmembers facility-staff lena,dora,olga,permanent-staff >/dev/null
samba-tool group addmembers permanent-staff sten >/dev/null
samba-tool group addmembers facility-it ida >/dev/null
samba-tool user disable dora >/dev/null
samba-tool user setexpiry olga --days=-1 >/dev/null
start_directory
