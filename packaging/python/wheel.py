#!/usr/bin/env python3
"""wheel.py PROGRAM VERSION PLATFORM FOLDER: a wheel that carries the program and the pytest fixture.

PLATFORM is of the wheel's tag, as manylinux2014_x86_64. The same files make the same bytes: times are
SOURCE_DATE_EPOCH's. Prints the wheel's path.
"""

import base64
import hashlib
import os
import sys
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "palisade_fms"


def main(program, version, platform, folder):
    info, data = f"{NAME}-{version}.dist-info", f"{NAME}-{version}.data"
    tags = [f"py3-none-{one}" for one in platform.split(".")]
    package = os.path.join(HERE, "palisade_testing")
    files = [(f"palisade_testing/{name}", read(os.path.join(package, name)), 0o644)
             for name in sorted(os.listdir(package)) if name.endswith(".py")]
    files += [
        (f"{data}/scripts/palisade", read(program), 0o755),
        (f"{info}/METADATA", metadata(version), 0o644),
        (f"{info}/WHEEL", "".join(["Wheel-Version: 1.0\n", "Generator: palisade\n", "Root-Is-Purelib: false\n",
                                   *(f"Tag: {tag}\n" for tag in tags)]).encode(), 0o644),
        (f"{info}/entry_points.txt", b"[pytest11]\npalisade = palisade_testing.plugin\n", 0o644),
        (f"{info}/licenses/LICENSE", read(os.path.join(HERE, "..", "..", "LICENSE")), 0o644),
    ]
    record = "".join(f"{name},sha256={digest(content)},{len(content)}\n" for name, content, _ in files)
    files.append((f"{info}/RECORD", (record + f"{info}/RECORD,,\n").encode(), 0o644))
    path = os.path.join(folder, f"{NAME}-{version}-py3-none-{platform}.whl")
    moment = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), 315_532_800))[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name, moment)
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content)
    print(path)


def metadata(version):
    head = f"""Metadata-Version: 2.4
Name: palisade-fms
Version: {version}
Summary: A self-hosted AWS Firewall Manager, and a pytest fixture of it
License-Expression: Apache-2.0
License-File: LICENSE
Requires-Python: >=3.9
Provides-Extra: boto3
Requires-Dist: boto3; extra == "boto3"
Description-Content-Type: text/markdown

"""
    return head.encode() + read(os.path.join(HERE, "README.md"))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
