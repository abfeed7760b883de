"""Programs that are not ours talk to the tax department: OpenSSH carries, the test reads.

No line of the simulator and no SSH library takes part: `sftp` uploads and fetches, `ssh-keyscan`
asks for the host key, zlib, base64 and lxml of this file take the result apart.
"""

import hmac
import json
import shutil
import subprocess
import time
import zlib
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SM3, Hash
from lxml import etree

from adapters.simulators.population import Population, Quirk, planted_index, tax_record
from tests.simulators.simulator_process import Running
from tests.simulators.tax_client import ask
from tests.simulators.test_tax_answers import about

SPACE = "{http://www.chinatax.gov.cn/dataspec/}"


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} of OpenSSH is not installed")
    return path


def _known_hosts(tax: Running, folder: Path) -> Path:
    """Pin the published key."""
    path = folder / "known_hosts"
    path.write_text(f"[127.0.0.1]:{tax.port} {tax.host_key}\n")
    return path


def _sftp(tax: Running, key: Path, folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run a batch of commands; a line that fails ends it."""
    options = {
        "BatchMode": "yes",
        "LogLevel": "ERROR",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(_known_hosts(tax, folder)),
        "GlobalKnownHostsFile": "/dev/null",
        "IdentitiesOnly": "yes",
        "ConnectTimeout": "5",
    }
    command = [_program("sftp"), "-F", "/dev/null", "-P", str(tax.port), "-i", str(key)]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    return subprocess.run(
        [*command, "-b", "-", "hrss@127.0.0.1"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        cwd=folder,
    )


def test_openssh_drops_and_fetches(
    tax: Running, tax_folder: Path, tmp_path: Path, people: Population
) -> None:
    """Upload under .part, rename, wait, fetch; then the result is read by hand."""
    person = people.person(planted_index(Quirk.ORDINARY_EMPLOYEE))
    package = ask(about(person), about(people.person(400)))
    xml, name = package.xml(), package.name
    (tmp_path / "a").write_bytes(xml)
    (tmp_path / "b").write_text(json.dumps(package.manifest(xml)))

    sent = _sftp(
        tax, tax_folder / "hrss", tmp_path,
        f"put a /in/{name}.xml.part", f"rename /in/{name}.xml.part /in/{name}.xml",
        f"put b /in/{name}.mf.json.part", f"rename /in/{name}.mf.json.part /in/{name}.mf.json",
    )  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    time.sleep(0.3)
    fetched = _sftp(
        tax, tax_folder / "hrss", tmp_path,
        "ls -l /out", f"get /ack/{name}.xml ack.xml", f"get /out/{name}.xml out.xml",
        f"get /out/{name}.mf.json out.json", f"rm /out/{name}.xml", f"rm /out/{name}.mf.json",
    )  # fmt: skip
    assert fetched.returncode == 0, fetched.stderr
    assert f"{name}.mf.json" in fetched.stdout

    _read_by_hand(tmp_path, person.full_name)
    assert tax_record(person).contribution[0].voucher_no in _content(tmp_path / "out.xml")


def _read_by_hand(folder: Path, name: str) -> None:
    out = (folder / "out.xml").read_bytes()
    digest = Hash(SM3())
    digest.update(out)
    manifest = json.loads((folder / "out.json").read_text())
    assert (manifest["sm3"], manifest["size"]) == (digest.finalize().hex(), len(out))
    assert manifest["records"] == 2
    for file in ("ack.xml", "out.xml"):
        top = etree.parse(str(folder / file)).getroot()
        head = [
            _text(top, member)
            for member in ("sessionId", "serviceId", "clientNo", "tranSeq", "returnCode")
        ]
        assert head[-1] == "00000000"
        text = "".join(f"{value}\n" for value in head).encode()
        for part in top.iter(f"{SPACE}subPackage"):
            plain = zlib.decompress(b64decode(_text(part, "content")))
            text += b"%s\n%d\n%s\n" % (_text(part, "id").encode(), len(plain), plain)
        signed = hmac.new(b"demo-sign-key-0001", text, "sha256").hexdigest()
        assert _text(top, "signValue") == signed
    assert json.loads(_content(folder / "out.xml"))["XM"] == name


def _text(element: etree._Element, name: str) -> str:
    return element.findtext(f".//{SPACE}{name}") or ""


def _content(path: Path) -> str:
    """Decode the first record."""
    content = _text(etree.parse(str(path)).getroot(), "content")
    return zlib.decompress(b64decode(content)).decode()


def test_openssh_is_refused_what_is_not_his(tax: Running, tax_folder: Path, tmp_path: Path) -> None:
    """Finished names, other folders, links and a stranger's key."""
    (tmp_path / "a").write_bytes(b"x")
    for line in (
        "put a /in/x.xml", "put a /out/x.part", "mkdir /in/x", "symlink /etc/passwd /in/x",
        "get /etc/passwd", "ls /etc",
    ):  # fmt: skip
        assert _sftp(tax, tax_folder / "hrss", tmp_path, line).returncode != 0, line
    assert "denied" in _sftp(tax, tax_folder / "narrow", tmp_path, "ls /").stderr


def test_openssh_sees_that_the_host_key_changed(
    tax: Running, tax_folder: Path, tmp_path: Path
) -> None:
    """The pinned key is not shown, so nothing is sent."""
    tax.fault("host_key_changed")

    refused = _sftp(tax, tax_folder / "hrss", tmp_path, "ls /")

    assert refused.returncode != 0
    assert "Host key verification failed" in refused.stderr
    assert _sftp(tax, tax_folder / "hrss", tmp_path, "ls /").returncode == 0


def test_ssh_keyscan_finds_the_published_key(tax: Running) -> None:
    """What the line of JSON says is what the server shows."""
    scanned = subprocess.run(
        [_program("ssh-keyscan"), "-T", "5", "-t", "ed25519", "-p", str(tax.port), "127.0.0.1"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert tax.host_key.split()[:2] == scanned.stdout.split()[1:3]
