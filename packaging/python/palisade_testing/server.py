"""One server process with a store in memory, and what tests do with it."""

import json
import os
import re
import shutil
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request

START_SECONDS = 30
JUDGED_SECONDS = 60


def program():
    """The path of `palisade`: what PALISADE_PROGRAM says, else the one that this package brought, else the PATH's."""
    told = os.environ.get("PALISADE_PROGRAM")
    if told:
        return told
    beside = os.path.join(sysconfig.get_path("scripts"), "palisade")
    found = beside if os.path.exists(beside) else shutil.which("palisade")
    if not found:
        raise FileNotFoundError("there is no `palisade` beside Python and none on the PATH; set PALISADE_PROGRAM")
    return found


class Server:
    """A server that runs until `stop`, on a free port of this machine, and asks nobody for a key."""

    def __init__(self, *options):
        self._process = subprocess.Popen(
            [program(), "serve", "--store", "memory", "--auth", "open", "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("PALISADE_")})
        line = self._process.stdout.readline()
        told = re.search(r"http://\S+:\d+", line)
        if not told:
            self.stop()
            raise RuntimeError(f"palisade did not start; run it by hand to see why: {program()} serve "
                               "--store memory --auth open")
        self.endpoint = told.group(0)

    def client(self, account=None, region="us-east-1"):
        """A boto3 client of Firewall Manager: as the account, else as the default administrator."""
        import boto3
        return boto3.client("fms", region_name=region, endpoint_url=self.endpoint,
                            aws_access_key_id=account or "operator", aws_secret_access_key="any")

    def organization(self, file):
        """Tells whose accounts these are: a dict, or the path of an organization file."""
        self._call("PUT", "/palisade/v1/organization?confirm=true", _bytes(file))

    def ingest(self, *paths):
        """Delivers AWS Config's files, or folders of them."""
        self.run("ingest", *map(str, paths))

    def run(self, *line):
        """Runs a command of `palisade` against this server; its standard output."""
        env = {**os.environ, "PALISADE_ENDPOINT": self.endpoint,
               "AWS_ACCESS_KEY_ID": "operator", "AWS_SECRET_ACCESS_KEY": "any"}
        done = subprocess.run([program(), *line], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise RuntimeError(f"palisade {' '.join(line)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def wait(self):
        """Waits until everything that was delivered and put is judged."""
        end = time.monotonic() + JUDGED_SECONDS
        while time.monotonic() < end:
            work = self._call("GET", "/palisade/v1/work")
            if not work["dirty"] and not work["leased"]:
                return
            time.sleep(0.05)
        raise TimeoutError(f"not everything is judged after {JUDGED_SECONDS} s: {work}")

    def reset(self):
        """Forgets organization, inventory, policies and all else."""
        self._call("POST", "/palisade/v1/reset")

    def stop(self):
        """Ends the process."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _call(self, method, path, body=None):
        if body is None and method == "POST":
            body = b""
        request = urllib.request.Request(self.endpoint + path, data=body, method=method,
                                         headers={"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode(errors='replace')}") from None


def _bytes(file):
    if isinstance(file, dict):
        return json.dumps(file).encode()
    with open(file, "rb") as opened:
        return opened.read()
