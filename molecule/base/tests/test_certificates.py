# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client sees of a host's certificate, and what an intruder on the host can't get."""

testinfra_hosts = [f"podman://{host}.base.test" for host in ("debian12", "debian13", "site")]


def name(host):
    return host.check_output("hostname -f")


def test_a_client_that_trusts_the_system_store_verifies_the_host(host):
    """Serve with the certificate and connect as any program on the host would."""
    serve = "openssl s_server -accept 4433 -www -cert /etc/facility/tls/host.crt -key /etc/facility/tls/host.key"
    host.check_output(f"systemd-run --unit=tls-server --collect {serve}")
    try:
        # The unit needs a moment to listen.
        retry = "curl --silent --retry 20 --retry-connrefused --retry-delay 1"
        host.run("command -v curl || apt-get install -y -qq --no-install-recommends curl")
        assert host.run(f"{retry} https://{name(host)}:4433/").rc == 0
        assert host.run("curl --silent https://localhost:4433/").rc == 60
    finally:
        host.run("systemctl stop tls-server")


def test_only_root_reads_the_key(host):
    key = host.file("/etc/facility/tls/host.key")
    assert (key.user, key.mode) == ("root", 0o600)
