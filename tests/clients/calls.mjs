// One call a line in, one answer a line out: the AWS SDK for JavaScript as a client of Palisade.
// Arguments: endpoint, `json` or `cbor`, folder that holds node_modules.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";

const [endpoint, protocol, folder] = process.argv.slice(2);
const require = createRequire(path.join(folder, "package.json"));
const fms = require("@aws-sdk/client-fms");

const clients = new Map();
function client({ region, access, secret }) {
  const key = `${region} ${access}`;
  if (!clients.has(key)) {
    const settings = {
      region,
      endpoint,
      maxAttempts: 1,
      credentials: { accessKeyId: access, secretAccessKey: secret },
    };
    if (protocol === "cbor") {
      settings.protocol = require("@aws-sdk/core/protocols").AwsSmithyRpcV2CborProtocol;
    }
    clients.set(key, new fms.FMSClient(settings));
  }
  return clients.get(key);
}

function plain(value) {
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key, member]) => key !== "$metadata" && member !== undefined)
        .map(([key, member]) => [key, plain(member)]),
    );
  }
  return typeof value === "bigint" ? Number(value) : value;
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  let answer;
  try {
    const command = new fms[`${call.operation}Command`](call.parameters);
    answer = { result: plain(await client(call).send(command)) };
  } catch (error) {
    answer = { error: { name: error.name, message: error.Message ?? error.message } };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
