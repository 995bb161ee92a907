"""``python -m provisioning.release``: make a key, make a release, sign the packages' checksums.

The private key belongs on a stick in a drawer and not on a computer that is on the network;
``make`` may run elsewhere, and ``sign`` where the key is.
"""

import argparse
import sys
from pathlib import Path

from provisioning.release.making import (
    MakingError,
    make_installer,
    make_key,
    make_release,
    sign_release,
    sign_sums,
)
from stagebox.release import ReleaseRole


def main() -> int:
    """Do what the command line says; return the exit status."""
    given = _parser().parse_args()
    try:
        for path in _made(given):
            print(f"{path.stat().st_size:10}  {path}")
    except (MakingError, OSError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def _made(given: argparse.Namespace) -> tuple[Path, ...]:
    if given.act == "key":
        return make_key(given.out)
    if given.act == "sums":
        return sign_sums(given.folder, given.key)
    if given.act == "installer":
        return (make_installer(given.key, given.out),)
    if given.act == "sign":
        return (sign_release(given.manifest, given.key),)
    made = make_release(
        given.package,
        given.out,
        role=ReleaseRole(given.role),
        after=given.after,
        back_from=tuple(given.back_from),
    )
    return (*made, sign_release(made[1], given.key)) if given.key else made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m provisioning.release", description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    key = acts.add_parser("key", help="make a key pair: FILE, and FILE.pem for everybody")
    key.add_argument("out", type=Path, metavar="FILE")
    make = acts.add_parser("make", help="make a release of a stagebox_*.deb")
    make.add_argument("package", type=Path, metavar="DEB")
    make.add_argument("--out", type=Path, default=Path("dist"), metavar="DIR")
    make.add_argument("--role", choices=[role.value for role in ReleaseRole], default="box")
    make.add_argument("--after", type=int, default=0, metavar="N", help="lowest build before it")
    make.add_argument(
        "--back-from", type=int, nargs="*", default=[], metavar="N", help="builds it may undo"
    )
    make.add_argument("--key", type=Path, metavar="FILE", help="sign it at once")
    sign = acts.add_parser("sign", help="sign a manifest")
    sign.add_argument("manifest", type=Path, metavar="JSON")
    sums = acts.add_parser("sums", help="write and sign SHA256SUMS of the packages in a folder")
    sums.add_argument("folder", type=Path, metavar="DIR")
    script = acts.add_parser("installer", help="write install.sh with the release key in it")
    script.add_argument("key", type=Path, metavar="PEM", help="the public half")
    script.add_argument("--out", type=Path, default=Path("dist"), metavar="DIR")
    for each in (sign, sums):
        each.add_argument("--key", type=Path, required=True, metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
