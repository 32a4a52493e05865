# Make this host the domain controller of a scenario; what comes after it makes people and ends with start_directory.
# Environment: DOMAIN, ADDRESS, PASSWORD (of Administrator).
set -eu
systemctl disable --quiet --now smbd nmbd winbind 2>/dev/null || true
rm -f /etc/samba/smb.conf
realm=$(echo "$DOMAIN" | tr '[:lower:]' '[:upper:]')
samba-tool domain provision --quiet --realm="$realm" --domain="${realm%%.*}" --server-role=dc \
  --dns-backend=SAMBA_INTERNAL --host-ip="$ADDRESS" --adminpass="$PASSWORD" \
  --option="interfaces=lo eth0" --option="bind interfaces only=yes" \
  --option="tls certfile=/etc/facility/tls/host.crt" --option="tls keyfile=/etc/facility/tls/host.key" \
  --option="tls cafile=/etc/facility/tls/ca.crt"
# Provisioning does not keep it.
sed -i 's/^\[global\]$/&\n\told password allowed period = 0/' /etc/samba/smb.conf
samba-tool domain passwordsettings set --quiet --complexity=off --min-pwd-length=8 --account-lockout-threshold=0
for unit in People Groups "Service Accounts"; do samba-tool ou add "OU=$unit" >/dev/null; done
person() { samba-tool user create "$1" "Secret-of-$1" --userou="OU=People" --given-name="$2" --surname="$3" --mail-address="$1@$DOMAIN" >/dev/null; }
start_directory() {
  systemctl unmask --quiet samba-ad-dc
  systemctl enable --quiet --now samba-ad-dc
  touch /var/lib/samba/private/prepared
}
