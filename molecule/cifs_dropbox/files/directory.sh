set -eu
systemctl disable --quiet --now smbd nmbd winbind 2>/dev/null || true
rm -f /etc/samba/smb.conf
samba-tool domain provision --quiet --realm=CIFS.TEST --domain=CIFS --server-role=dc --dns-backend=SAMBA_INTERNAL \
  --host-ip=10.42.8.11 --adminpass="$JOIN_PASSWORD" \
  --option="interfaces=lo eth0" --option="bind interfaces only=yes" --option="ad dc functional level = 2016"
cp /var/lib/samba/private/krb5.conf /etc/krb5.conf
samba-tool domain passwordsettings set --quiet --complexity=off --min-pwd-length=8 --account-lockout-threshold=0
for unit in People Groups "Service Accounts" Servers; do samba-tool ou add "OU=$unit" >/dev/null; done
person() { samba-tool user create "$1" "Secret-of-$1" --userou="OU=People" >/dev/null; }
for login in alice bob expired stranger newcomer; do person $login; done
samba-tool user setexpiry expired --days=-1 >/dev/null
for group in facility-users rg-neuro; do samba-tool group add $group --groupou=OU=Groups >/dev/null; done
# They are users of the facility only through the research group.
samba-tool group addmembers facility-users rg-neuro >/dev/null
samba-tool group addmembers rg-neuro alice,bob,expired,newcomer >/dev/null
# The joining account may make and manage computers in one unit, and nothing else; nobody else may at all.
samba-tool user create --userou="OU=Service Accounts" -- svc-join "$JOIN_PASSWORD" >/dev/null
sid=$(samba-tool user show svc-join --attributes=objectSid | sed -n 's/^objectSid: //p')
computer=bf967a86-0de6-11d0-a285-00aa003049e2
samba-tool dsacl set --objectdn="OU=Servers,DC=cifs,DC=test" \
  --sddl="(OA;CI;CCDC;$computer;;$sid)(OA;CIIO;CCDCLCSWRPWPDTLOCRSDRCWDWO;;$computer;$sid)" >/dev/null
printf 'dn: DC=cifs,DC=test\nchangetype: modify\nreplace: ms-DS-MachineAccountQuota\nms-DS-MachineAccountQuota: 0\n' |
  ldbmodify -H /var/lib/samba/private/sam.ldb >/dev/null
systemctl unmask --quiet samba-ad-dc
systemctl enable --quiet --now samba-ad-dc
for _ in $(seq 30); do samba-tool dns zonelist 127.0.0.1 -P >/dev/null 2>&1 && break; sleep 1; done
samba-tool dns add 127.0.0.1 cifs.test omero1 A 10.42.8.31 -P >/dev/null
touch /var/lib/samba/private/prepared
