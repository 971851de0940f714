// One call a line in, one answer a line out: the AWS SDK for JavaScript as a client of Palisade.
// Arguments: endpoint, `json` or `cbor`, folder that holds node_modules, attempts at a call.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";

const [endpoint, protocol, folder, attempts] = process.argv.slice(2);
const require = createRequire(path.join(folder, "package.json"));
const fms = require("@aws-sdk/client-fms");

const clients = new Map();
function client({ region, access, secret }) {
  const key = `${region} ${access}`;
  if (!clients.has(key)) {
    const settings = {
      region,
      endpoint,
      maxAttempts: Number(attempts),
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

// Lines hold moments as seconds; the SDK takes dates.
const MOMENTS = new Set(["StartTime", "EndTime", "CreateTime", "LastUpdateTime"]);
function withDates(value) {
  if (Array.isArray(value)) return value.map(withDates);
  if (!value || typeof value !== "object") return value;
  const dated = ([key, member]) => {
    const moment = MOMENTS.has(key) && typeof member === "number";
    return [key, moment ? new Date(member * 1000) : withDates(member)];
  };
  return Object.fromEntries(Object.entries(value).map(dated));
}

// One answer, or with `pageSize` all pages of the SDK's own paginator, or the names of those.
async function answerTo(call) {
  if (call.paginators) {
    return Object.keys(fms)
      .filter((name) => name.startsWith("paginate"))
      .map((name) => name.slice("paginate".length));
  }
  if (call.pageSize === undefined) {
    return client(call).send(new fms[`${call.operation}Command`](withDates(call.parameters)));
  }
  const pages = [];
  const settings = { client: client(call), pageSize: call.pageSize };
  for await (const page of fms[`paginate${call.operation}`](settings, call.parameters)) {
    pages.push(page);
  }
  return pages;
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  let answer;
  try {
    answer = { result: plain(await answerTo(call)) };
  } catch (error) {
    const { httpStatusCode: status, requestId: request } = error.$metadata ?? {};
    const typed = error instanceof (fms[error.name] ?? fms.FMSServiceException);
    const message = error.Message ?? error.message;
    answer = { error: { name: error.name, message, status, request, typed } };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
