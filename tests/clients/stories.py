"""Plays the story of an organization through clients that we did not write, and compares.

    python stories.py --palisade PATH-TO-BINARY [--node-modules FOLDER] [--aws PATH-TO-AWS]
        [--rust-sdk PATH-TO-BINARY] [--terraform PATH-TO-TERRAFORM]

Each client plays the same story against its own fresh server; all must see equal values, and
`palisade check` over the same files must print the same ones. boto3 and the JavaScript SDK then play
the families of all operations in both protocols, and Terraform keeps the policies met in the wild.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types
import urllib.request

import drivers
import families
import terraform
import world
from drivers import Refused
from transcript import Transcript

EAST, WEST = "us-east-1", "eu-west-1"


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`palisade serve --auth sigv4` over a fresh store, with keys for everybody in the world."""

    def __init__(self, palisade, folder, *settings):
        self.palisade, self.folder = palisade, pathlib.Path(folder)
        self.store = f"sqlite:{self.folder / 'palisade.db'}"
        self.snapshots = world.write(self.folder)
        accounts = [account["Id"] for account in world.ORGANIZATION["Accounts"]]
        self.keys = {account: self.key("--account", account) for account in accounts}
        self.keys["999999999999"] = self.key("--account", "999999999999")
        self.operator = self.key("--operator")
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [palisade, "serve", "--store", self.store, "--listen", f"127.0.0.1:{port}",
             "--auth", "sigv4", *settings], stdout=subprocess.DEVNULL, stderr=open(self.folder / "log", "w"))
        self.wait_ready()

    def key(self, *who):
        run = subprocess.run([self.palisade, "keys", "create", "--store", self.store, *who,
                              "--output", "json"], capture_output=True, text=True, check=True)
        made = json.loads(run.stdout)
        return made["AccessKeyId"], made["SecretAccessKey"]

    def wait_ready(self):
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.endpoint}/readyz", timeout=5).read()
                return
            if self.process.poll() is not None:
                raise SystemExit((self.folder / "log").read_text())
            time.sleep(0.05)
        raise SystemExit("the server did not become ready")

    def command(self, *words, expect=0):
        access, secret = self.operator
        environment = dict(os.environ, PALISADE_ENDPOINT=self.endpoint, AWS_ACCESS_KEY_ID=access,
                           AWS_SECRET_ACCESS_KEY=secret, AWS_REGION=EAST)
        run = subprocess.run([self.palisade, *words], env=environment, capture_output=True, text=True)
        assert run.returncode == expect, f"palisade {' '.join(words)}: {run.stdout}{run.stderr}"
        return run.stdout

    def work(self):
        """`GET /palisade/v1/work`, signed with the operator's key."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        request = AWSRequest("GET", f"{self.endpoint}/palisade/v1/work")
        SigV4Auth(Credentials(*self.operator), "fms", EAST).add_auth(request)
        request = urllib.request.Request(request.url, headers=dict(request.headers))
        return json.load(urllib.request.urlopen(request, timeout=30))

    def settle(self):
        """Waits until every accepted fact is judged."""
        for _ in range(1200):
            work = self.work()
            if work["dirty"] == 0 and work["leased"] == 0:
                return
            time.sleep(0.05)
        raise SystemExit(f"work is still due: {work}")

    def broken(self, table):
        """The store lacks a table meanwhile."""
        return families.renamed(self.folder / "palisade.db", table)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0, (self.folder / "log").read_text()


def refused(code, fragment, call, *arguments):
    try:
        answer = call(*arguments)
    except Refused as refusal:
        assert refusal.code == code, f"{refusal} is not a {code}"
        assert fragment in refusal.message, f"{refusal.message!r} lacks {fragment!r}"
        return {"code": refusal.code, "message": refusal.message}
    raise AssertionError(f"{arguments} was answered {answer} instead of {code}")


def pages(call, operation, parameters, key, account, region, size):
    """Every element, page by page, as a paginator would read them."""
    found, token, count = [], None, 0
    while True:
        asked = dict(parameters, MaxResults=size, **({"NextToken": token} if token else {}))
        answer = call(operation, asked, account, region)
        assert len(answer[key]) <= size
        found += answer[key]
        count += 1
        token = answer.get("NextToken")
        if token is None:
            return found, count
        assert token, "an empty NextToken makes paginators loop"


def story(driver, server):
    """Associate, put policies in two Regions, list compliance in pages of 1, detail, delete."""
    seen, call = Transcript(), driver.call
    management, admin, member = world.MANAGEMENT, world.ADMIN, world.MEMBER

    # Before there is an administrator.
    seen.note("no admin", refused("ResourceNotFoundException", "", call, "GetAdminAccount", {}, management, EAST))
    seen.note("no admin, list", refused(
        "AccessDeniedException", f"No default admin could be found for account {admin}",
        call, "ListPolicies", {}, admin, EAST))
    seen.note("by a member", refused(
        "InvalidOperationException",
        f"{member} is not the management account of the Organization but trying to AssociateAdmin, "
        f"Organization management account is {management}",
        call, "AssociateAdminAccount", {"AdminAccount": admin}, member, EAST))
    seen.note("elsewhere", refused(
        "InvalidOperationException", f"This operation is not supported in the '{WEST}' region.",
        call, "AssociateAdminAccount", {"AdminAccount": admin}, management, WEST))

    call("AssociateAdminAccount", {"AdminAccount": admin}, management, EAST)
    answer = call("GetAdminAccount", {}, management, EAST)
    assert answer == {"AdminAccount": admin, "RoleStatus": "READY"}, answer
    seen.note("admin", answer)
    # Terraform associates once more each time it looks whether the role is READY.
    seen.note("twice", call("AssociateAdminAccount", {"AdminAccount": admin}, management, EAST))
    seen.note("another", refused("InvalidOperationException", "", call, "AssociateAdminAccount",
                                 {"AdminAccount": member}, management, EAST))

    # A member may not.
    seen.note("member lists", refused(
        "AccessDeniedException", "Operation ListPolicies is only available to AWS Firewall Manager Administrators",
        call, "ListPolicies", {}, member, EAST))
    seen.note("member puts", refused(
        "AccessDeniedException", f"Account: {member} is not currently delegated by AWS FM.",
        call, "PutPolicy", {"Policy": world.AUDIT}, member, EAST))

    members, _ = pages(call, "ListMemberAccounts", {}, "MemberAccounts", admin, EAST, 2)
    assert members == sorted(account["Id"] for account in world.ORGANIZATION["Accounts"]), members
    seen.note("members", members)

    # A policy in each of two Regions.
    audit = call("PutPolicy", {"Policy": world.AUDIT, "TagList": [{"Key": "team", "Value": ""}]}, admin, EAST)
    edge = call("PutPolicy", {"Policy": world.EDGE}, admin, WEST)
    seen.note("audit", audit)
    seen.note("edge", edge)
    audit_id, edge_id = audit["Policy"]["PolicyId"], edge["Policy"]["PolicyId"]
    assert call("GetPolicy", {"PolicyId": audit_id}, admin, EAST) == audit
    seen.note("not here", refused("ResourceNotFoundException", "", call, "GetPolicy", {"PolicyId": audit_id}, admin, WEST))
    listed = call("ListPolicies", {}, admin, EAST)["PolicyList"]
    assert [policy["PolicyId"] for policy in listed] == [audit_id]
    seen.note("policies", listed)
    seen.note("no such form", refused("ValidationException", "1 validation error detected", call, "GetPolicy",
                                        {"PolicyId": "not-an-id-of-thirty-six-characters!!"}, admin, EAST))

    server.settle()
    statuses, count = pages(call, "ListComplianceStatus", {"PolicyId": audit_id},
                            "PolicyComplianceStatusList", admin, EAST, 1)
    assert count in (6, 7), count
    by_account = {status["MemberAccount"]: status for status in statuses}
    assert list(by_account) == sorted(by_account)
    assert set(by_account) == set(members) - {"555555555555"}
    verdict = {account: [(result["ComplianceStatus"], result["ViolatorCount"], result["EvaluationLimitExceeded"])
                         for result in status["EvaluationResults"]] for account, status in by_account.items()}
    assert verdict == {
        "111111111111": [("COMPLIANT", 0, False)],
        "222222222222": [("COMPLIANT", 0, False)],
        "333333333333": [("NON_COMPLIANT", 1, False)],
        "444444444444": [("COMPLIANT", 0, False)],
        "666666666666": [],
        "777777777777": [("NON_COMPLIANT", 101, True)],
    }, verdict
    for account, status in by_account.items():
        assert (status["IssueInfoMap"] == {}) == (account != "666666666666"), status
    assert set(by_account["666666666666"]["IssueInfoMap"]) == {"AWSCONFIG"}
    seen.note("audit compliance", statuses)

    west, count = pages(call, "ListComplianceStatus", {"PolicyId": edge_id},
                        "PolicyComplianceStatusList", admin, WEST, 1)
    verdict = {status["MemberAccount"]: [result["ViolatorCount"] for result in status["EvaluationResults"]]
               for status in west}
    assert verdict == {"333333333333": [2], "444444444444": [0]}, verdict
    seen.note("edge compliance", west)

    # Details.
    detail = call("GetComplianceDetail", {"PolicyId": edge_id, "MemberAccount": member}, admin, WEST)
    reasons = [violator["ViolationReason"] for violator in detail["PolicyComplianceDetail"]["Violators"]]
    assert reasons == ["RESOURCE_MISSING_WEB_ACL", "RESOURCE_INCORRECT_WEB_ACL"], reasons
    seen.note("edge detail", detail)
    lab = call("GetComplianceDetail", {"PolicyId": audit_id, "MemberAccount": "777777777777"}, admin, EAST)
    lab = lab["PolicyComplianceDetail"]
    assert len(lab["Violators"]) == 100 and lab["EvaluationLimitExceeded"] is True
    fine = call("GetComplianceDetail", {"PolicyId": audit_id, "MemberAccount": "444444444444"}, admin, EAST)
    fine = fine["PolicyComplianceDetail"]
    assert fine["Violators"] == [] and fine["IssueInfoMap"] == {} and "ExpiredAt" not in fine, fine
    seen.note("details", [lab, fine])

    # An update needs the token; a stale one is refused.
    changed = dict(audit["Policy"], PolicyDescription="held by the platform team")
    changed = call("PutPolicy", {"Policy": changed}, admin, EAST)
    assert changed["Policy"]["PolicyUpdateToken"] != audit["Policy"]["PolicyUpdateToken"]
    seen.note("stale", refused("InvalidInputException", "PolicyUpdateToken", call, "PutPolicy", {"Policy": audit["Policy"]}, admin, EAST))

    # Lists.
    apps = call("PutAppsList", {"AppsList": {"ListName": "web", "AppsList": [
        {"AppName": "https", "Protocol": "tcp", "Port": 443}]}}, admin, EAST)
    apps_id = apps["AppsList"]["ListId"]
    assert call("GetAppsList", {"ListId": apps_id}, admin, EAST)["AppsList"]["ListName"] == "web"
    protocols = call("PutProtocolsList", {"ProtocolsList": {"ListName": "ip", "ProtocolsList": ["tcp", "udp"]}}, admin, EAST)
    protocols_id = protocols["ProtocolsList"]["ListId"]
    seen.note("lists", [apps, protocols,
                        call("ListAppsLists", {"MaxResults": 1}, admin, EAST),
                        call("ListAppsLists", {"MaxResults": 10, "DefaultLists": True}, admin, EAST),
                        call("ListProtocolsLists", {"MaxResults": 10, "DefaultLists": True}, admin, EAST)])
    call("DeleteAppsList", {"ListId": apps_id}, admin, EAST)
    call("DeleteProtocolsList", {"ListId": protocols_id}, admin, EAST)
    seen.note("list gone", refused("ResourceNotFoundException", "", call, "GetAppsList", {"ListId": apps_id}, admin, EAST))

    # The end.
    call("DeletePolicy", {"PolicyId": audit_id}, admin, EAST)
    seen.note("gone", refused("ResourceNotFoundException", "", call, "ListComplianceStatus", {"PolicyId": audit_id}, admin, EAST))
    assert call("ListPolicies", {}, admin, EAST)["PolicyList"] == []
    return seen.lines, statuses, west


def compare_with_check(palisade, folder, statuses, west):
    """`palisade check` over the same files prints the values that the server answered."""
    folder = pathlib.Path(folder)
    for name, policy in (("audit", world.AUDIT), ("edge", world.EDGE)):
        (folder / f"{name}.json").write_text(json.dumps({"Policy": policy}))
    for name, region, served in (("audit", EAST, statuses), ("edge", WEST, west)):
        run = subprocess.run(
            [palisade, "check", "--policy", folder / f"{name}.json", "--organization",
             folder / "organization.json", "--admin", world.ADMIN, "--region", region,
             "--output", "json", folder / "AWSLogs"], capture_output=True, text=True)
        assert run.returncode == 1, f"exit {run.returncode}: {run.stderr}"
        printed = json.loads(run.stdout)["PolicyComplianceStatusList"]
        keys = ("MemberAccount", "EvaluationResults", "IssueInfoMap", "PolicyName", "PolicyOwner")
        pick = lambda rows: [{key: row[key] for key in keys} for row in rows]
        assert pick(printed) == pick(served), f"check says {printed}, the server {served}"


@contextlib.contextmanager
def served(palisade, make_driver, path=""):
    """A fresh server that knows the world, and a client of it whose endpoint has this path."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(palisade, folder)
        try:
            server.command("organization", "apply", str(server.folder / "organization.json"))
            server.command("ingest", str(server.snapshots))
            driver = make_driver(types.SimpleNamespace(endpoint=server.endpoint + path, keys=server.keys))
            yield driver, server
            driver.close()
            server.stop()
        finally:
            server.process.kill()


def play(palisade, make_driver):
    with served(palisade, make_driver) as (driver, server):
        lines, statuses, west = story(driver, server)
        compare_with_check(palisade, server.folder, statuses, west)
        return driver.name, lines


def play_families(palisade, make_driver, shared, operations):
    # An endpoint may have a path, which clients put in front of their own.
    with served(palisade, make_driver, "/base/path") as (driver, server):
        return driver.name, families.story(driver, server, shared, operations)


def play_throttled(palisade, make_driver):
    """A key that calls too often is refused in the exception that the SDK itself retries."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(palisade, folder, "--rate", "10", "--burst", "5")
        try:
            server.command("organization", "apply", str(server.folder / "organization.json"))
            hasty, patient = make_driver(server), make_driver(server, attempts=20)
            ask = lambda driver: driver.call("GetAdminAccount", {}, world.MANAGEMENT, EAST)
            hasty.call("AssociateAdminAccount", {"AdminAccount": world.ADMIN}, world.MANAGEMENT, EAST)
            told = None
            for _ in range(1000):
                try:
                    ask(hasty)
                except Refused as refusal:
                    told = [refusal.code, refusal.message, refusal.status]
                    break
            assert told == ["ThrottlingException", "Rate exceeded", 400], told
            answers = [ask(patient) for _ in range(15)]
            hasty.close()
            patient.close()
            server.stop()
            return hasty.name, [json.dumps([told, answers])]
        finally:
            server.process.kill()


def play_terraform(palisade, program, plugins, shared):
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as work:
        server = Server(palisade, folder)
        try:
            server.command("organization", "apply", str(server.folder / "organization.json"))
            said = terraform.story(program, plugins, server, shared, work)
            server.stop()
            return said
        finally:
            server.process.kill()


def compare(what, played):
    """Prints how each client fared against the first; answers (passed, failed)."""
    first, passed, failed = None, 0, 0
    for name, lines in played:
        first = first or lines
        different = [pair for pair in zip(first, lines) if pair[0] != pair[1]]
        if different or len(first) != len(lines):
            failed += 1
            print(f"{what} in {name}: FAILED, it sees other values than boto3 json:")
            for ours, theirs in different[:5]:
                print(f"  boto3 json  {ours}\n  {name:10}  {theirs}")
        else:
            passed += 1
            print(f"{what} in {name}: {len(lines)} answers, equal to boto3's in JSON", flush=True)
    return passed, failed


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--palisade", required=True)
    options.add_argument("--aws", default=shutil.which("aws"))
    options.add_argument("--node-modules")
    options.add_argument("--rust-sdk")
    options.add_argument("--terraform", default=shutil.which("terraform"))
    options.add_argument("--shared", default=pathlib.Path(__file__).resolve().parents[3] / "shared")
    options.add_argument("--only", choices=["story", "families", "terraform"], help="play this alone")
    options = options.parse_args()
    makers = [lambda server, cbor=cbor, **more: drivers.Boto3(server.endpoint, server.keys, cbor, **more)
              for cbor in (False, True)]
    in_both_protocols = list(makers)
    left_out = []

    def skip(what, count=1):
        """Says that stories are not played, and notes each for whoever counts (PALISADE_SKIPPED)."""
        print(f"skipped: {what}")
        left_out.extend([what] * count)
        if noted := os.environ.get("PALISADE_SKIPPED"):
            with open(noted, "a") as file:
                file.write("".join(f"client stories\t{what}\n" for _ in range(count)))

    if options.aws:
        makers.append(lambda server: drivers.AwsCli(server.endpoint, server.keys, options.aws))
    else:
        skip("the story in the AWS CLI (no `aws` was found)")
    if options.node_modules:
        for cbor in (False, True):
            makers.append(lambda server, cbor=cbor, **more: drivers.JavaScript(
                server.endpoint, server.keys, options.node_modules, cbor, **more))
            in_both_protocols.append(makers[-1])
    else:
        skip("a story in the AWS SDK for JavaScript (no --node-modules was given)", 6)
    if options.rust_sdk:
        makers.append(lambda server: drivers.RustSdk(server.endpoint, server.keys, options.rust_sdk))
    else:
        skip("the story in the AWS SDK for Rust (no --rust-sdk was given)")
    asked = lambda what: options.only in (None, what)
    passed, failed = 0, 0
    if asked("story"):
        passed, failed = compare("the story", (play(options.palisade, maker) for maker in makers))
    here = pathlib.Path(__file__).resolve().parent
    operations = families.operations(here / "../../crates/wire/model/fms-model.json")
    shared = pathlib.Path(options.shared)
    if not (shared / "real-data" / "fms-policy").is_dir():
        skip(f"the policies of a public solution ({shared} is not there)")
        shared = None
    if asked("families"):
        more = compare(f"the families of all {len(operations)} operations", (
            play_families(options.palisade, maker, shared, operations) for maker in in_both_protocols))
        passed, failed = passed + more[0], failed + more[1]
        more = compare("throttled calls", (
            play_throttled(options.palisade, maker) for maker in in_both_protocols))
        passed, failed = passed + more[0], failed + more[1]
    plugins = terraform.mirror()
    if not asked("terraform"):
        pass
    elif options.terraform and plugins:
        for said in play_terraform(options.palisade, options.terraform, plugins, shared):
            print(f"terraform: {said} Then nothing to plan.")
        passed += 1
    else:
        skip("Terraform's story (no `terraform`, or no mirror that has the AWS provider)")
    print(f"client stories: {passed} passed, {failed} failed, {len(left_out)} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
