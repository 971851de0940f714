"""One way to call an operation for each client: `call(operation, parameters, account, region)`.

Answers the result as plain values, or raises `Refused` with the error's name and message.
"""

import datetime
import json
import os
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent


class Refused(Exception):
    """`status` and `request` are HTTP's status and the request's id, where the client tells them;
    `typed` says whether callers can catch it by its modelled name."""

    def __init__(self, code, message, status=None, request=None, typed=None):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message
        self.status, self.request, self.typed = status, request, typed


def plain(value):
    """Without response metadata; times as epoch seconds."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()
                if key not in ("ResponseMetadata", "$metadata")}
    if isinstance(value, list):
        return [plain(member) for member in value]
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return value


class Boto3:
    """boto3 in JSON 1.1, or in RPC v2 CBOR through an overlay of its own model."""

    def __init__(self, endpoint, keys, cbor=False, attempts=1):
        import boto3
        import botocore.session
        from botocore.config import Config

        self.name = "boto3 cbor" if cbor else "boto3 json"
        self.endpoint, self.keys, self.clients = endpoint, keys, {}
        self.config = Config(retries={"total_max_attempts": attempts, "mode": "standard"})
        self.session = botocore.session.Session()
        if cbor:
            self.overlay = tempfile.TemporaryDirectory()
            loader = self.session.get_component("data_loader")
            model = loader.load_service_model("fms", "service-2")
            model["metadata"]["protocols"] = ["smithy-rpc-v2-cbor"]
            model["metadata"]["protocol"] = "smithy-rpc-v2-cbor"
            place = pathlib.Path(self.overlay.name) / "fms" / "2018-01-01"
            place.mkdir(parents=True)
            (place / "service-2.json").write_text(json.dumps(model))
            self.session = botocore.session.Session()
            loader = self.session.get_component("data_loader")
            loader.search_paths.insert(0, self.overlay.name)
        self.boto3 = boto3.Session(botocore_session=self.session)

    def client(self, account, region):
        if (account, region) not in self.clients:
            access, secret = self.keys[account]
            self.clients[account, region] = self.boto3.client(
                "fms", endpoint_url=self.endpoint, region_name=region, config=self.config,
                aws_access_key_id=access, aws_secret_access_key=secret)
        return self.clients[account, region]

    def call(self, operation, parameters, account, region):
        from botocore import xform_name
        from botocore.exceptions import ClientError

        try:
            return plain(getattr(self.client(account, region), xform_name(operation))(**parameters))
        except ClientError as error:
            told, about = error.response["Error"], error.response["ResponseMetadata"]
            typed = isinstance(error, getattr(self.client(account, region).exceptions, told["Code"], ClientError))
            raise Refused(told["Code"], told["Message"], about["HTTPStatusCode"], about.get("RequestId"), typed)

    def paginate(self, operation, parameters, account, region, size):
        """The pages that boto3's own paginator reads."""
        from botocore import xform_name

        paginator = self.client(account, region).get_paginator(xform_name(operation))
        return [plain(page) for page in paginator.paginate(**parameters, PaginationConfig={"PageSize": size})]

    def paginated(self):
        """Operations that boto3 has a paginator for."""
        from botocore import xform_name

        client = self.client(*next(iter(self.clients)))
        return {operation for operation in client.meta.service_model.operation_names
                if client.can_paginate(xform_name(operation))}

    def close(self):
        pass


class AwsCli:
    """The AWS command line."""

    name = "aws cli"

    def __init__(self, endpoint, keys, program):
        self.endpoint, self.keys, self.program = endpoint, keys, program

    def call(self, operation, parameters, account, region):
        from botocore import xform_name

        access, secret = self.keys[account]
        environment = dict(os.environ, AWS_ACCESS_KEY_ID=access, AWS_SECRET_ACCESS_KEY=secret,
                           AWS_DEFAULT_REGION=region, AWS_PAGER="", AWS_MAX_ATTEMPTS="1",
                           AWS_ENDPOINT_URL_FMS=self.endpoint, AWS_CONFIG_FILE="/dev/null",
                           AWS_SHARED_CREDENTIALS_FILE="/dev/null")
        run = subprocess.run(
            [self.program, "fms", xform_name(operation, "-"), "--output", "json", "--no-paginate",
             "--cli-input-json", json.dumps(parameters)],
            env=environment, capture_output=True, text=True, timeout=120)
        if run.returncode == 0:
            return plain(self.times(json.loads(run.stdout or "{}")))
        text = run.stderr.strip()
        # An error occurred (Name) when calling the X operation: message
        if "(" in text and "): " not in text and ") when calling" in text:
            code = text.split("(", 1)[1].split(")", 1)[0]
            raise Refused(code, text.split("operation: ", 1)[1])
        raise AssertionError(f"aws fms {operation} failed: {text}")

    def times(self, value):
        """The command line prints times as ISO 8601 text."""
        if isinstance(value, dict):
            return {key: datetime.datetime.fromisoformat(member).timestamp()
                    if key in ("LastUpdated", "ExpiredAt", "CreateTime", "LastUpdateTime")
                    and isinstance(member, str) else self.times(member)
                    for key, member in value.items()}
        if isinstance(value, list):
            return [self.times(member) for member in value]
        return value

    def close(self):
        pass


class Lines:
    """A client in a process of its own that reads one call a line and writes one answer a line."""

    def __init__(self, name, keys, command, environment=None):
        self.name, self.keys = name, keys
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=dict(os.environ, **(environment or {})))

    def call(self, operation, parameters, account, region, **more):
        access, secret = self.keys[account]
        line = {"operation": operation, "parameters": parameters, "region": region,
                "access": access, "secret": secret, **more}
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            told = answer["error"]
            raise Refused(told["name"], told["message"], told.get("status"), told.get("request"), told.get("typed"))
        return plain(answer["result"])

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


class JavaScript(Lines):
    """The AWS SDK for JavaScript."""

    def __init__(self, endpoint, keys, modules, cbor=False, attempts=1):
        super().__init__("js cbor" if cbor else "js json", keys,
                         ["node", str(HERE / "calls.mjs"), endpoint, "cbor" if cbor else "json",
                          str(pathlib.Path(modules).resolve()), str(attempts)],
                         {"NODE_NO_WARNINGS": "1"})

    def paginate(self, operation, parameters, account, region, size):
        """The pages that the SDK's own paginator reads."""
        return self.call(operation, parameters, account, region, pageSize=size)

    def paginated(self):
        """Operations that the SDK has a paginator for."""
        account = next(iter(self.keys))
        return set(self.call("", {}, account, "us-east-1", paginators=True))


class RustSdk(Lines):
    """The AWS SDK for Rust, which speaks RPC v2 CBOR to this service."""

    def __init__(self, endpoint, keys, program):
        super().__init__("rust cbor", keys, [str(program), endpoint])
