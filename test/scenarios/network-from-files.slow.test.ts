/**
 * A repository's `.env` names a proxy and an authority of its authors: with `--allow`, real clients hand the caller's key to
 * them, and without it none does.
 */
import { once } from "node:events";
import { createServer } from "node:https";
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startProxy, type Proxy } from "../esc-server/proxy.ts";
import { useCertificates } from "../helpers/certificates.ts";
import { notInstalled } from "../helpers/skip.ts";
import { parseEnvironment, folder, sophia, unwrapLines } from "../helpers/sophia.ts";

const KEY = "sk-sentinel-of-the-caller-0123456789";
const HOST = "service.test";

let proxy: Proxy;
/** What the attacker's server has got: the headers of each request. */
const received: string[] = [];

const certificates = useCertificates([HOST], async ({ valid }) => {
  const server = createServer(valid, (request, response) => {
    received.push(JSON.stringify(request.headers));
    response.writeHead(404, { "Content-Type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  const here = { host: "127.0.0.1", port: address.port };
  proxy = await startProxy({ routes: { [`${HOST}:443`]: here } });
  return async () => {
    server.closeAllConnections();
    server.close();
    await proxy.close();
  };
});

interface Client {
  readonly title: string;
  readonly needs: readonly [string, ...string[]];
  readonly variables: readonly string[];
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const PYTHON = `
import os, urllib.request
headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
urllib.request.urlopen(urllib.request.Request("https://${HOST}/", headers=headers))`;
const REQUESTS = `
import os, requests
requests.get("https://${HOST}/", headers={"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]})`;
/** As proxy agents of npm's packages do it; Node.js has an option for it from version 22.21 on. */
const NODE = `
const [http, tls] = [require("node:http"), require("node:tls")];
const lines = ["GET / HTTP/1.1", "Host: ${HOST}", "Authorization: Bearer " + process.env.OPENAI_API_KEY, "", ""];
const send = (socket) => {
  const secure = tls.connect({ host: "${HOST}", port: 443, servername: "${HOST}", ...socket });
  secure.on("secureConnect", () => secure.write(lines.join("\\r\\n")));
  secure.on("data", () => process.exit()).on("error", () => process.exit(1));
};
const proxy = process.env.HTTPS_PROXY;
if (proxy === undefined) send({});
else {
  const tunnel = http.request(proxy, { method: "CONNECT", path: "${HOST}:443" });
  tunnel.on("connect", (_, socket) => send({ socket })).end();
}`;
const curl = ["sh", "-c", `curl -sS -H "Authorization: Bearer $OPENAI_API_KEY" https://${HOST}/`] as const;
const git = [
  "sh",
  "-c",
  `git -c http.extraHeader="Authorization: Bearer $OPENAI_API_KEY" ls-remote https://${HOST}/x`,
] as const;
const npm = ["npm", "whoami", "--registry", `https://${HOST}/`, "--fetch-retries=0"] as const;

const CLIENTS: readonly Client[] = [
  { title: "curl", needs: ["curl", "-V"], variables: ["HTTPS_PROXY", "CURL_CA_BUNDLE"], command: curl },
  { title: "curl, in lower case", needs: ["curl", "-V"], variables: ["https_proxy", "SSL_CERT_FILE"], command: curl },
  { title: "curl, for all schemes", needs: ["curl", "-V"], variables: ["ALL_PROXY", "CURL_CA_BUNDLE"], command: curl },
  {
    title: "Python",
    needs: ["python3", "-V"],
    variables: ["HTTPS_PROXY", "SSL_CERT_FILE"],
    command: ["python3", "-c", PYTHON],
  },
  {
    // Python reads every case.
    title: "Python, in mixed case",
    needs: ["python3", "-V"],
    variables: ["Https_Proxy", "SSL_CERT_FILE"],
    command: ["python3", "-c", PYTHON],
  },
  {
    title: "requests",
    needs: ["python3", "-c", "import requests"],
    variables: ["HTTPS_PROXY", "REQUESTS_CA_BUNDLE"],
    command: ["python3", "-c", REQUESTS],
  },
  {
    title: "Node.js",
    needs: ["node", "-v"],
    variables: ["HTTPS_PROXY", "NODE_EXTRA_CA_CERTS"],
    command: ["node", "-e", NODE],
  },
  {
    title: "Node.js, without verification",
    needs: ["node", "-v"],
    variables: ["HTTPS_PROXY", "NODE_TLS_REJECT_UNAUTHORIZED"],
    command: ["node", "-e", NODE],
  },
  {
    title: "npm, by its settings",
    needs: ["npm", "-v"],
    variables: ["npm_config_https_proxy", "npm_config_cafile"],
    command: npm,
  },
  {
    title: "npm, without verification",
    needs: ["npm", "-v"],
    variables: ["npm_config_https_proxy", "npm_config_strict_ssl"],
    command: npm,
  },
  { title: "git", needs: ["git", "--version"], variables: ["HTTPS_PROXY", "GIT_SSL_CAINFO"], command: git },
  {
    title: "git, without verification",
    needs: ["git", "--version"],
    variables: ["HTTPS_PROXY", "GIT_SSL_NO_VERIFY"],
    command: git,
  },
  {
    title: "the CLI of AWS",
    needs: ["aws", "--version"],
    variables: ["HTTPS_PROXY", "AWS_CA_BUNDLE"],
    command: ["aws", "s3api", "list-buckets", "--endpoint-url", `https://${HOST}/`],
    env: {
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: "x",
      AWS_SESSION_TOKEN: KEY,
      AWS_REGION: "eu-west-1",
      AWS_MAX_ATTEMPTS: "1",
    },
  },
];

const SWITCHED_OFF: Readonly<Record<string, string>> = {
  NODE_TLS_REJECT_UNAUTHORIZED: "0",
  npm_config_strict_ssl: "false",
  GIT_SSL_NO_VERIFY: "1",
};

/** A repository with the attacker's authority and `.env`. */
function createRepository(variables: readonly string[], further = ""): string {
  // This is another way to write 127.0.0.1, which the rule for loopback does not accept.
  const valueOf = (name: string): string =>
    /proxy/i.test(name) ? `http://127.1:${proxy.port}` : (SWITCHED_OFF[name] ?? "./ca.pem");
  const cwd = folder({ ".env": `${variables.map((name) => `${name}=${valueOf(name)}\n`).join("")}${further}` });
  copyFileSync(certificates().caFile, join(cwd, "ca.pem"));
  writeFileSync(join(cwd, ".npmrc"), `//${HOST}/:_authToken=\${OPENAI_API_KEY}\n`);
  return cwd;
}

const MACHINE: Readonly<Record<string, string>> = existsSync(join(homedir(), ".pyenv"))
  ? { PYENV_ROOT: join(homedir(), ".pyenv") }
  : {};

describe.each(CLIENTS)("a start with $title", { timeout: 60_000 }, ({ needs, variables, command, env = {} }) => {
  test("does not give the caller's key to the proxy of a found .env file unless the caller allows it", async ({
    skip,
  }) => {
    const [program, ...args] = needs;
    const reason = notInstalled(program, ...args);
    skip(reason !== undefined, reason);
    const cwd = createRepository(variables);
    const callerEnvironment = { ...MACHINE, OPENAI_API_KEY: KEY, ...env };
    received.length = 0;
    const before = proxy.requests.length;
    const withheld = await sophia(["--no-contract", "--", ...command], { cwd, env: callerEnvironment });
    expect([received, proxy.requests.length - before]).toEqual([[], 0]);
    expect(unwrapLines(withheld.stderr)).toContain(`--allow ${variables.join(",")} passes them on`);
    const allow = ["--allow", variables.join(",")];
    const allowed = await sophia(["--no-contract", ...allow, "--", ...command], { cwd, env: callerEnvironment });
    expect(allowed.stderr).not.toContain("not passed on");
    expect(received.join("\n")).toContain(KEY);
  });
});

/** Returns the variables of the program, and the messages. */
async function startProgram(cwd: string, env: Readonly<Record<string, string>> = {}, args: readonly string[] = []) {
  const { status, stdout, stderr } = await sophia(["--no-contract", ...args, "--", "/usr/bin/env"], { cwd, env });
  expect(status).toBe(0);
  return { variables: parseEnvironment(stdout), messages: unwrapLines(stderr) };
}

const PAIR = ["HTTPS_PROXY", "SSL_CERT_FILE"] as const;

describe("the proxy and the certificate authority of a found .env file", () => {
  test("are passed on if each secret of the program is from that file, and the secrets are marked", async () => {
    const { variables, messages } = await startProgram(
      createRepository(PAIR, "OPENAI_API_KEY=sk-of-the-file\nPORT=1\n"),
      {
        EDITOR: "vi",
        SSH_AUTH_SOCK: "/run/agent",
      },
    );
    expect(messages).toBe("");
    expect(variables).toMatchObject({
      SSL_CERT_FILE: "./ca.pem",
      SOPHIA_FROM_FILES: "HTTPS_PROXY,SSL_CERT_FILE,OPENAI_API_KEY",
    });
  });

  test.each<[string, string, Readonly<Record<string, string>>]>([
    ["the caller has a secret", "OPENAI_API_KEY=x\n", { GITHUB_TOKEN: "x" }],
    ["the caller has a password in a URL", "OPENAI_API_KEY=x\n", { DATABASE: "postgres://u:p@db/x" }],
    ["the caller has the same secret", "OPENAI_API_KEY=x\n", { OPENAI_API_KEY: "y" }],
    // Clients have keys in files of their own.
    ["there is no secret", "", {}],
  ])("are withheld if %s", async (_, further, env) => {
    const { variables, messages } = await startProgram(createRepository(PAIR, further), env);
    for (const name of PAIR) expect(variables).not.toHaveProperty(name);
    expect(messages).toContain("--allow HTTPS_PROXY,SSL_CERT_FILE passes them on");
  });

  test("are withheld again by a sophia-run in the program that has a key of its own", async () => {
    const callerEnvironment = {
      HTTPS_PROXY: "http://evil.test:1",
      OPENAI_API_KEY: "x",
      SOPHIA_FROM_FILES: "HTTPS_PROXY,OPENAI_API_KEY",
    };
    expect((await startProgram(folder(), callerEnvironment)).variables).toMatchObject(callerEnvironment);
    const { variables, messages } = await startProgram(folder(), { ...callerEnvironment, GITHUB_TOKEN: "x" });
    expect(variables).not.toHaveProperty("HTTPS_PROXY");
    expect(messages).toContain("HTTPS_PROXY in a file");
  });

  test.each([
    ["HTTPS_PROXY", "http://localhost:8888"],
    ["http_proxy", "127.0.0.1:3128"],
    ["ALL_PROXY", "socks5h://[::1]:9050/"],
    ["NO_PROXY", "*"],
    ["NODE_TLS_REJECT_UNAUTHORIZED", "1"],
    ["DENO_TLS_CA_STORE", "system,mozilla"],
    ["TRUST_PROXY", "https://example.test"],
  ])("are passed on without a message if they belong to this machine, or are harmless: %s=%s", async (name, value) => {
    const { variables, messages } = await startProgram(folder({ ".env": `${name}=${value}\n` }), {
      OPENAI_API_KEY: KEY,
    });
    expect([messages, variables[name]]).toEqual(["", value]);
  });

  // Git asks whether the variable is there; the Azure CLI whether it has a text.
  test.each([
    ["GIT_SSL_NO_VERIFY", ""],
    ["GIT_SSL_NO_VERIFY", "0"],
    ["GIT_SSL_NO_VERIFY", "false"],
    ["AZURE_CLI_DISABLE_CONNECTION_VERIFICATION", "false"],
  ])("are withheld if they switch something on with any value: %s=%s", async (name, value) => {
    const { variables, messages } = await startProgram(folder({ ".env": `${name}=${value}\n` }), {
      OPENAI_API_KEY: KEY,
    });
    expect(messages).toContain(name);
    expect(variables).not.toHaveProperty(name);
  });

  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["the caller names the file", ["--dotenv", ".env"], {}],
    ["the caller sets them", [], { HTTPS_PROXY: "http://proxy.test", SSL_CERT_FILE: "/etc/ca.pem" }],
  ])("decide if %s", async (_, args, env) => {
    const { variables, messages } = await startProgram(createRepository(PAIR), { OPENAI_API_KEY: KEY, ...env }, args);
    expect(messages).toBe("");
    expect(variables).toHaveProperty("HTTPS_PROXY");
    expect(variables).toHaveProperty("SSL_CERT_FILE");
  });
});

describe("a contract and the names of proxies:", () => {
  test.each([...PAIR, "NODE_TLS_REJECT_UNAUTHORIZED", "pip_proxy"])("it may not have a default of %s", async (name) => {
    const value = name === "NODE_TLS_REJECT_UNAUTHORIZED" ? "0" : "http://evil.test";
    const contract = JSON.stringify({ variables: { [name]: { default: value, secret: false } } });
    const cwd = folder({ "sophia.contract.json": contract });
    for (const args of [[], ["--contract", "sophia.contract.json"]]) {
      const { status, stderr } = await sophia([...args, "--", "true"], { cwd });
      expect([status, unwrapLines(stderr)]).toEqual([
        125,
        expect.stringContaining(`default of ${name} would decide how`),
      ]);
    }
  });

  test("a found contract cannot give another variable of the caller the name of a proxy, and declaring it is not enough", async () => {
    const declared = { HTTPS_PROXY: { aliases: ["DOCS_URL"] }, SSL_CERT_FILE: {} };
    const cwd = folder({
      "sophia.contract.json": JSON.stringify({ variables: declared }),
      ".env": "SSL_CERT_FILE=./ca.pem\n",
    });
    const env = { DOCS_URL: "http://evil.test", OPENAI_API_KEY: KEY };
    const { status, stdout, stderr } = await sophia(["--", "/usr/bin/env"], { cwd, env });
    expect(status).toBe(0);
    expect(parseEnvironment(stdout)).not.toHaveProperty("HTTPS_PROXY");
    expect(parseEnvironment(stdout)).not.toHaveProperty("SSL_CERT_FILE");
    expect(unwrapLines(stderr)).toContain("--allow HTTPS_PROXY");
    expect(unwrapLines(stderr)).toContain("--allow SSL_CERT_FILE");
    const named = await sophia(["--contract", "sophia.contract.json", "--", "/usr/bin/env"], { cwd, env });
    expect(parseEnvironment(named.stdout)).toMatchObject({ HTTPS_PROXY: "http://evil.test" });
  });
});

test("explain and check name the reason for a withheld proxy", async () => {
  const contract = { variables: { HTTPS_PROXY: { required: true, secret: false } } };
  const cwd = folder({
    "sophia.contract.json": JSON.stringify(contract),
    ".env": "HTTPS_PROXY=http://evil.test\n",
  });
  const explained = await sophia(["explain", "HTTPS_PROXY"], { cwd, env: { OPENAI_API_KEY: KEY } });
  expect(unwrapLines(explained.stdout)).toMatch(/withheld +\.env:1: .*--allow, since it decides how programs connect/);
  const checked = await sophia(["check"], { cwd, env: { OPENAI_API_KEY: KEY } });
  expect([checked.status, checked.stdout]).toEqual([1, expect.stringContaining("❌ HTTPS_PROXY: ")]);
});
