"""The policies met in the wild, written and kept by Terraform: after each `apply` there is nothing to plan."""

import json
import os
import pathlib
import subprocess

import wild
import world

EAST, WEST = wild.EAST, wild.WEST
# Terraform makes its own account the administrator unless told otherwise.
ADMIN = world.MANAGEMENT
PLACES = {EAST: "aws", WEST: "aws.west"}


def mirror():
    """A folder that holds the AWS provider as Terraform's filesystem mirrors are laid out, if any."""
    told = os.environ.get("PALISADE_TERRAFORM_MIRROR")
    places = [pathlib.Path(told)] if told else [
        folder for above in ("/opt", "/usr/share", "/usr/local/share", pathlib.Path.home() / ".terraform.d")
        for pattern in ("*", "*/*") for folder in sorted(pathlib.Path(above).glob(pattern))]
    return next((place for place in places if (place / "registry.terraform.io/hashicorp/aws").is_dir()), None)


def policy(document, resource_set, tags):
    """A Policy as an `aws_fms_policy`."""
    data = document["SecurityServicePolicyData"]
    typed = {"type": data["Type"]}
    if "ManagedServiceData" in data:
        typed["managed_service_data"] = data["ManagedServiceData"]
    if "PolicyOption" in data:
        [(member, option)] = data["PolicyOption"].items()
        typed["policy_option"] = [snake({member: option})]
    found = {"name": document["PolicyName"], "exclude_resource_tags": document["ExcludeResourceTags"],
             "remediation_enabled": document["RemediationEnabled"], "security_service_policy_data": [typed],
             "tags": tags}
    if document["ResourceType"] == "ResourceTypeList":
        found["resource_type_list"] = document["ResourceTypeList"]
    else:
        found["resource_type"] = document["ResourceType"]
    if "PolicyDescription" in document:
        found["description"] = document["PolicyDescription"]
    if document.get("ResourceTags"):
        found["resource_tags"] = {tag["Key"]: tag["Value"] for tag in document["ResourceTags"]}
    if document.get("ResourceSetIds"):
        found["resource_set_ids"] = [resource_set]
    if "DeleteUnusedFMManagedResources" in document:
        found["delete_unused_fm_managed_resources"] = document["DeleteUnusedFMManagedResources"]
    for member, name in (("IncludeMap", "include_map"), ("ExcludeMap", "exclude_map")):
        if document.get(member):
            ids = document[member]
            found[name] = [{key: [ADMIN if ident == world.ADMIN else ident for ident in ids[kind]]
                            for kind, key in (("ACCOUNT", "account"), ("ORG_UNIT", "orgunit")) if kind in ids}]
    return found


def snake(value):
    """PolicyOption in Terraform's names: its blocks are called after one element, not the list."""
    named = {"FirstEntries": "first_entry", "LastEntries": "last_entry"}
    if isinstance(value, dict):
        found = {}
        for key, member in value.items():
            name = named.get(key) or "".join(
                f"_{letter.lower()}" if letter.isupper() else letter for letter in key).lstrip("_")
            inner = snake(member)
            found[name] = [inner] if isinstance(inner, dict) else inner
        return found
    return [snake(member) for member in value] if isinstance(value, list) else value


class Terraform:
    """A working folder, and keys of the administrator."""

    def __init__(self, program, plugins, server, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        settings = self.folder / "terraform.rc"
        settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{plugins}"\n  }}\n}}\n')
        access, secret = server.keys[ADMIN]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "AWS_"))}
        self.environment = dict(kept, TF_CLI_CONFIG_FILE=str(settings), TF_IN_AUTOMATION="1", CHECKPOINT_DISABLE="1",
                                AWS_ENDPOINT_URL_FMS=server.endpoint, AWS_ACCESS_KEY_ID=access,
                                AWS_SECRET_ACCESS_KEY=secret, AWS_CONFIG_FILE="/dev/null",
                                AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_EC2_METADATA_DISABLED="true")

    def run(self, *words, expect=0):
        run = subprocess.run([self.program, *words, "-no-color", "-input=false"], cwd=self.folder,
                             env=self.environment, capture_output=True, text=True, timeout=300)
        if run.returncode != expect:
            # Of a plan, what would change; of a failure, why.
            changed = [line for line in run.stdout.splitlines() if line.lstrip().startswith(("#", "~", "-/+", "-"))]
            why = run.stderr if run.returncode == 1 else "\n".join(changed)
            raise AssertionError(f"terraform {' '.join(words)} ended with {run.returncode}:\n{why}")
        return run.stdout

    def write(self, resources):
        skipped = {f"skip_{what}": True for what in (
            "credentials_validation", "requesting_account_id", "metadata_api_check")}
        providers = [dict(skipped, region=EAST), dict(skipped, region=WEST, alias="west")]
        (self.folder / "main.tf.json").write_text(json.dumps({
            "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
            "provider": {"aws": providers}, **({"resource": resources} if resources else {})}))

    def settles(self, resources):
        """Applied, and then nothing is left to plan: exit 0 says no changes, 2 that there are some."""
        self.write(resources)
        told = self.run("apply", "-auto-approve")
        self.run("plan", "-detailed-exitcode")
        return told.strip().splitlines()[-1]


def resources(found, version):
    """Everything, each policy in its version of this number or its last."""
    named = lambda name: "".join(letter if letter.isalnum() else "_" for letter in name)
    needs = ["aws_fms_admin_account.this"]
    # The middle one is added, changed and removed again.
    tags = {"case": "", **({"version": f"{version}"} if version in (1, 2) else {}), "team": "platform"}
    # Sets stay as they are: whatever changes in one, the provider makes another.
    sets = {named(region): {
        "provider": place, "depends_on": needs, "tags": {"team": "net", "empty": ""},
        "resource_set": [{"name": "firewalls", "description": "north and south",
                          "resource_type_list": ["AWS::NetworkFirewall::Firewall"]}]}
        for region, place in PLACES.items()}
    policies = {}
    for name, region, versions in found:
        in_region = f"${{aws_fms_resource_set.{named(region)}.id}}"
        for number, chain in enumerate(chains(versions)):
            document = chain[min(version, len(chain) - 1)]
            policies[f"{named(name)}_{number}"] = dict(
                policy(document, in_region, tags), provider=PLACES[region], depends_on=needs)
    return {"aws_fms_admin_account": {"this": {"account_id": ADMIN}},
            "aws_fms_resource_set": sets, "aws_fms_policy": policies}


def chains(versions):
    """Versions of one policy that follow each other. One with other maps of accounts is another
    policy: the provider does not see that the last id of a map is no longer written."""
    found = []
    for document in versions:
        maps = [document.get(member) for member in ("IncludeMap", "ExcludeMap")]
        if found and found[-1][0] == maps:
            found[-1][1].append(document)
        else:
            found.append((maps, [document]))
    return [chain for _, chain in found]


def story(program, plugins, server, shared, folder):
    """Applies every version of every policy and destroys them; answers what Terraform said."""
    found = wild.cases("the resource set")
    if shared:
        found += wild.real_data_cases(shared)
    terraform = Terraform(program, plugins, server, folder)
    said = []
    terraform.write({})
    terraform.run("init")
    longest = max(len(chain) for _, _, versions in found for chain in chains(versions))
    for version in range(longest):
        said.append(terraform.settles(resources(found, version)))
    terraform.run("destroy", "-auto-approve")
    return said
