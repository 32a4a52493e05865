set -eu
systemctl disable --quiet --now smbd nmbd winbind 2>/dev/null || true
rm -f /etc/samba/smb.conf
samba-tool domain provision --quiet --realm=WIKI.TEST --domain=WIKI --server-role=dc --dns-backend=SAMBA_INTERNAL \
  --host-ip=10.42.4.11 --adminpass="$BIND_PASSWORD" \
  --option="interfaces=lo eth0" --option="bind interfaces only=yes" \
  --option="tls certfile=/etc/facility/tls/host.crt" --option="tls keyfile=/etc/facility/tls/host.key" \
  --option="tls cafile=/etc/facility/tls/ca.crt"
samba-tool domain passwordsettings set --quiet --complexity=off --min-pwd-length=8 --account-lockout-threshold=0
for unit in People Groups "Service Accounts"; do samba-tool ou add "OU=$unit" >/dev/null; done
person() { samba-tool user create "$1" "Secret-of-$1" --userou="OU=People" --given-name="$2" --surname="$3" --mail-address="$1@wiki.test" >/dev/null; }
person reader Rita Reader
person staff Sten Staff
person admin Ida Admin
person expired Olga Over
person stranger Sam Stranger
samba-tool user setexpiry expired --days=-1 >/dev/null
samba-tool user create svc-wiki "$BIND_PASSWORD" --userou="OU=Service Accounts" >/dev/null
for group in facility-users facility-staff facility-it rg-neuro; do samba-tool group add $group --groupou=OU=Groups >/dev/null; done
# The reader is a user of the facility only through the research group.
samba-tool group addmembers facility-users rg-neuro,facility-staff,facility-it >/dev/null
samba-tool group addmembers rg-neuro reader,expired >/dev/null
samba-tool group addmembers facility-staff staff >/dev/null
samba-tool group addmembers facility-it admin >/dev/null
systemctl unmask --quiet samba-ad-dc
systemctl enable --quiet --now samba-ad-dc
touch /var/lib/samba/private/prepared
