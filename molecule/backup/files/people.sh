
person alice Alice Adler
person bob Bob Berg
samba-tool ou add OU=Servers >/dev/null
for group in facility-users rg-neuro door-wiki door-share door-omero; do samba-tool group add $group --groupou=OU=Groups >/dev/null; done
samba-tool group addmembers facility-users rg-neuro >/dev/null
for door in wiki share omero; do samba-tool group addmembers door-$door facility-users >/dev/null; done
samba-tool group addmembers rg-neuro alice,bob >/dev/null
for account in svc-join svc-omero svc-wiki; do
  samba-tool user create --userou="OU=Service Accounts" -- $account "$PASSWORD" >/dev/null
done
sid=$(samba-tool user show svc-join --attributes=objectSid | sed -n 's/^objectSid: //p')
computer=bf967a86-0de6-11d0-a285-00aa003049e2
samba-tool dsacl set --objectdn="OU=Servers,DC=disaster,DC=test" \
  --sddl="(OA;CI;CCDC;$computer;;$sid)(OA;CIIO;CCDCLCSWRPWPDTLOCRSDRCWDWO;;$computer;$sid)" >/dev/null
start_directory
for _ in $(seq 30); do samba-tool dns zonelist 127.0.0.1 -P >/dev/null 2>&1 && break; sleep 1; done
for host in depot:9 wiki1:21 omero1:31 backup1:41 scratch1:61; do
  samba-tool dns add 127.0.0.1 disaster.test "${host%:*}" A "10.42.11.${host#*:}" -P >/dev/null
done
