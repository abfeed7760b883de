"""An operator's folder with an authority, and the commands of `hutong partner` as he types them."""

from pathlib import Path

from certs.certificate import PEM_LABEL, Certificate, parse_certificate
from certs.pem import parse_single
from certs.trust_directory import load_trust_directory
from gateway.cli.ending import ExitCode
from gateway.cli.root import run

HRSS = "11370000MB2DEM0105"
FUND = "12370000MB2DEM0882"
NAMES = ("--name-zh", "示例机构", "--name-en", "Example organisation")


class Office:
    """An operator's folder, and the commands as he types them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.trust = root / "trust"

    def run(self, *arguments: str) -> int:
        """Run `hutong partner …`; words that name a file of the folder start with `@`."""
        return run(["partner", *(self._placed(each) for each in arguments)])

    def _placed(self, word: str) -> str:
        head, mark, tail = word.partition("@")
        return f"{head}{self.root / tail}" if mark else word

    def certified(self, stem: str, usage: str, org: str = HRSS, *more: str) -> str:
        """Make a key, have it certified, and return the name of its certificate."""
        assert self.run("key", f"@{stem}", "--org", org, "--name", stem) == ExitCode.YES
        options = ("--authority", "@ca", "--usage", usage, "--org", org, "--name", stem)
        assert self.run("certify", f"@{stem}.csr", *options, *more) == ExitCode.YES
        return f"@{stem}.crt"

    def certificate(self, name: str) -> Certificate:
        """Return a certificate of the folder."""
        return parse_certificate(parse_single((self.root / name).read_bytes(), PEM_LABEL))

    def registered(self) -> dict[str, list[str]]:
        """Return the usages registered, by system or organisation."""
        found: dict[str, list[str]] = {}
        for each in load_trust_directory(self.trust).registry.organisations:
            found[each.uscc] = [str(key.usage) for key in each.keys]
            for system in each.systems:
                name = f"{each.uscc}/{system.slug}"
                found[name] = [str(key.usage) for key in system.keys]
        return found


def opened(root: Path) -> Office:
    """Return a folder with an authority and an empty, published trust directory."""
    made = Office(root)
    assert made.run("authority", "@ca", "--name", "Test authority") == ExitCode.YES
    assert made.run("publish", "@trust", "--authority", "@ca") == ExitCode.YES
    return made
