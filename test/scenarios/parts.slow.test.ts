import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { folder } from "../helpers/sophia.ts";

const root = join(import.meta.dirname, "../..");
const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Prints what `cargo info`, `pip index versions` and `npm view` print of a registry with these versions. */
const TOOLS = {
  cargo: `#!/bin/sh\necho "version: 0.14.0 (latest 99.1.0)"\n`,
  python3: `#!/bin/sh\necho "$5 (99.2.0)"\n`,
  npm: `#!/bin/sh\necho 99.3.0\n`,
};

/** Starts a server of OSV, which knows these vulnerabilities by the package's name. */
async function startOsv(known: Readonly<Record<string, readonly string[]>>, record: object): Promise<string> {
  const answer: RequestListener = (request, response) => {
    void text(request).then((body) => {
      if (request.url !== "/v1/querybatch") return response.end(JSON.stringify(record));
      const { queries } = JSON.parse(body);
      // Sound: each query has a package with a name.
      const results = queries.map((query: { package: { name: string } }) => ({
        vulns: (known[query.package.name] ?? []).map((id) => ({ id })),
      }));
      return response.end(JSON.stringify({ results }));
    });
  };
  const server = createServer(answer).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  // Sound: it listens on TCP.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function runParts(
  url: string,
  tools: Readonly<Record<string, string>> = TOOLS,
): Promise<{ readonly status: unknown; readonly stdout: string; readonly stderr: string }> {
  const commands = folder(tools);
  for (const name of Object.keys(tools)) chmodSync(join(commands, name), 0o755);
  const path = `${commands}${delimiter}${process.env["PATH"] ?? ""}`;
  const child = spawn(process.execPath, [join(root, "scripts/parts.mjs")], {
    env: { ...process.env, PATH: path, OSV_URL: url },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 100_000,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status, stdout, stderr };
}

describe("node scripts/parts.mjs", () => {
  it("lists newer versions, with what each package holds, and succeeds without a vulnerability", async () => {
    const { status, stdout, stderr } = await runParts(await startOsv({}, {}));
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^aws-lc-sys +\d\S+ +99\.1\.0 +AWS-LC \d/m);
    expect(stdout).toMatch(/^aiohttp +\d\S+ +99\.2\.0 +llhttp \d/m);
    expect(stdout).toMatch(/^bun +\d\S+ +99\.3\.0$/m);
    expect(stdout).toMatch(/\nnewer versions: 9\nknown vulnerabilities: none\n$/);
    expect(status).toBe(0);
  });

  it("fails for a vulnerability of a package, and of a library inside of one", async () => {
    const repository = "https://github.com/nodejs/llhttp.git";
    const known = { "aws-lc-sys": ["RUSTSEC-0000-0001"], [repository]: ["OSV-0000-0002"] };
    const { status, stdout } = await runParts(await startOsv(known, { details: "Reads \u001B[31mbeyond\nmore" }));
    expect(stdout).toMatch(/^RUSTSEC-0000-0001 {2}aws-lc-sys \d\S+ {2}Reads \?\[31mbeyond$/m);
    expect(stdout).toMatch(/^OSV-0000-0002 {2}https:\S+llhttp\.git v\d/m);
    expect(status).toBe(1);
  });

  it("succeeds for a vulnerability that does not concern the executables, under another of its names, and prints the reason", async () => {
    const { status, stdout } = await runParts(await startOsv({ musl: ["ALPINE-1"] }, { upstream: ["CVE-2025-26519"] }));
    expect(stdout).toMatch(/^ALPINE-1 {2}musl [^\n]*\n {2}does not concern the executables: iconv/m);
    expect(status).toBe(0);
  });

  it("ends with status 2 and names a service that cannot be reached", async () => {
    const failing = { ...TOOLS, cargo: "#!/bin/sh\necho 'error: no route' >&2\nexit 1\n" };
    const url = await startOsv({}, {});
    servers.pop()?.close();
    const { status, stdout, stderr } = await runParts(url, failing);
    expect(stderr).toContain("the newest version of ada-url is unknown: cargo info ada-url: error: no route\n");
    expect(stderr).toContain(`vulnerabilities are unknown: ${url}/v1/querybatch: connect ECONNREFUSED`);
    expect(stdout).toMatch(/^ada-url +\S+ +unknown/m);
    expect(stdout).not.toContain("known vulnerabilities");
    expect(status).toBe(2);
  });
});
