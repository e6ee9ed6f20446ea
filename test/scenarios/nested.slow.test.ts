import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer, type EscServer } from "../esc-server/index.ts";
import { startActionsIssuer } from "../esc-server/actions-issuer.ts";
import { parseEnvironment, folder, sophia, sophiaRun, unwrapLines } from "../helpers/sophia.ts";

const NAME = "acme/sophia/dev";
const CONTRACT = JSON.stringify({ variables: { GREETING: { required: true } } });

async function startServer(greeting: string): Promise<EscServer> {
  const started = await startEscServer();
  onTestFinished(() => started.close());
  started.environment(NAME, { values: { GREETING: greeting } });
  return started;
}

/** Command lines of two and of three starts, one in the other. */
function nestedArguments(depth: number, options: readonly string[], command: readonly string[]): readonly string[] {
  const inner = Array.from({ length: depth - 1 }, () => [...sophiaRun, ...options, "--"]).flat();
  return [...options, "--", ...inner, ...command];
}

const ROWS = [
  [2, "auto"],
  [3, "spawn"],
] as const;

describe.each(ROWS)(
  "%i starts, one in the other, --mode %s: a .env does not have another server get",
  (depth, mode) => {
    const options = ["--keep-esc", "--mode", mode];

    test("the caller's token", async () => {
      const [honest, evil] = await Promise.all([startServer("honest"), startServer("evil")]);
      const cwd = folder({
        "sophia.contract.json": CONTRACT,
        ".env": `PULUMI_BACKEND_URL=${evil.url}\nESC_ENV=${NAME}\nESC_TOKEN=${evil.token}\nGREETING=file\n`,
      });
      // The honest server cannot be the default one here: no start may end at it, nor at the other.
      const env = { ESC_TOKEN: honest.token, HTTPS_PROXY: "http://127.0.0.1:1" };
      const { status, stdout } = await sophia(nestedArguments(depth, options, ["env"]), { cwd, env });
      expect(status).toBe(0);
      expect(parseEnvironment(stdout)).not.toHaveProperty("PULUMI_BACKEND_URL");
      expect(parseEnvironment(stdout)).toMatchObject({ ESC_TOKEN: honest.token, GREETING: "file" });
      expect(evil.connections).toBe(0);
    });

    test("the content of a file", async () => {
      const evil = await startServer("evil");
      const cwd = folder({ "sophia.contract.json": CONTRACT });
      writeFileSync(join(cwd, "secret"), `${evil.token}\n`);
      writeFileSync(
        join(cwd, ".env"),
        `PULUMI_BACKEND_URL=${evil.url}\nESC_ENV=${NAME}\nESC_TOKEN_FILE=${join(cwd, "secret")}\nGREETING=file\n`,
      );
      const env = { HTTPS_PROXY: "http://127.0.0.1:1" };
      const { status, stdout } = await sophia(nestedArguments(depth, options, ["env"]), { cwd, env });
      expect([status, parseEnvironment(stdout)["GREETING"]]).toEqual([0, "file"]);
      expect(Object.keys(parseEnvironment(stdout)).filter((name) => name.startsWith("ESC_"))).toEqual([]);
      expect(evil.connections).toBe(0);
    });

    test("an ID token, nor the honest one for another organization", async () => {
      await using issuer = await startActionsIssuer();
      const [honest, evil] = await Promise.all([startServer("honest"), startServer("evil")]);
      const cwd = folder({
        "sophia.contract.json": CONTRACT,
        ".env": `PULUMI_BACKEND_URL=${evil.url}\nESC_OIDC_ORG=evil\nGREETING=file\n`,
      });
      const env = {
        ESC_ENV: NAME,
        PULUMI_BACKEND_URL: honest.url,
        ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
      };
      const { status, stderr } = await sophia(nestedArguments(depth, options, ["true"]), { cwd, env });
      expect(status).toBe(0);
      expect(stderr).toContain("ESC_OIDC_ORG in .env");
      expect(issuer.audiences).toEqual([]);
      expect([honest.connections, evil.connections]).toEqual([0, 0]);
    });

    test("what goes through a proxy", async () => {
      const proxy = createServer();
      let connections = 0;
      proxy.on("connection", () => (connections += 1));
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void proxy.close());
      // Sound: it listens on a port.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const cwd = folder({
        "sophia.contract.json": CONTRACT,
        ".env": `https_proxy=${url}\nHTTPS_PROXY=${url}\nSSL_CERT_FILE=evil.pem\nGREETING=file\n`,
      });
      const env = { ESC_ENV: NAME, ESC_TOKEN: "pul-caller", PULUMI_BACKEND_URL: "https://esc.invalid" };
      const { status, stdout } = await sophia(
        nestedArguments(depth, [...options, "--timeout", "5s", "--allow", "SSL_CERT_FILE"], ["env"]),
        { cwd, env },
      );
      expect(status).toBe(0);
      // The program itself has them: a proxy of this machine, and what the caller allows.
      expect(parseEnvironment(stdout)).toMatchObject({
        HTTPS_PROXY: url,
        https_proxy: url,
        SSL_CERT_FILE: "evil.pem",
        SOPHIA_FROM_FILES: "HTTPS_PROXY,https_proxy,SSL_CERT_FILE",
      });
      expect(connections).toBe(0);
    });

    test("an option of its own to be followed", async () => {
      const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": "SOPHIA_NO_CONTRACT=1\nSOPHIA_MODE=nonsense\n" });
      // The outer ones let it pass, so that the last one decides.
      const [first, ...rest] = nestedArguments(depth, [...options, "--no-contract"], []);
      const innerCommand = [...sophiaRun, "--", "env"];
      const { status, stderr } = await sophia([first ?? "", ...rest, ...innerCommand], { cwd });
      expect(status).toBe(78);
      expect(stderr).toContain("and SOPHIA_MODE in .env");
    });
  },
);

test("export keeps the mark of values from a file, and an inner start passes it on", async () => {
  const cwd = folder({ ".env": "HTTPS_PROXY=http://127.0.0.1:1\nALL_PROXY=localhost:1\nOTHER=1\n" });
  const script = `eval "$("$@" --no-contract export --format shell)"; rm .env; exec "$@" --no-contract -- env`;
  const { stdout, status } = await sophia(
    ["--no-contract", "--dotenv", "/dev/null", "--", "sh", "-c", script, "sh", ...sophiaRun],
    { cwd },
  );
  expect(status).toBe(0);
  expect(parseEnvironment(stdout)).toMatchObject({ OTHER: "1", SOPHIA_FROM_FILES: "HTTPS_PROXY,ALL_PROXY" });
});

test("a start does not mark values of the caller and of ESC, and removes an empty mark", async () => {
  const honest = await startServer("hello");
  honest.environment(NAME, { values: { GREETING: "hello", NO_PROXY: "from-esc" } });
  const cwd = folder({ "sophia.contract.json": CONTRACT });
  const env = {
    ESC_ENV: NAME,
    ESC_TOKEN: honest.token,
    PULUMI_BACKEND_URL: honest.url,
    HTTPS_PROXY: "x",
    SOPHIA_FROM_FILES: "ALL_PROXY",
  };
  const { stdout, stderr, status } = await sophia(["--", "env"], { cwd, env });
  expect([status, stderr]).toEqual([0, ""]);
  expect(parseEnvironment(stdout)).toMatchObject({ GREETING: "hello", HTTPS_PROXY: "x", NO_PROXY: "from-esc" });
  expect(parseEnvironment(stdout)).not.toHaveProperty("SOPHIA_FROM_FILES");
});

test("a start marks a contract's default and alias as values from a file", async () => {
  const cwd = folder({
    "sophia.contract.json": JSON.stringify({
      variables: {
        PULUMI_DEFAULT_ORGANIZATION: { default: "evil" },
        NO_PROXY: { aliases: ["OTHER"] },
        PULUMI_BACKEND_URL: { default: "http://evil.invalid" },
        SOPHIA_NO_CONTRACT: { default: "1" },
        SOPHIA_LOG_LEVEL: { default: "info" },
      },
    }),
  });
  const { stdout, stderr } = await sophia(["--", "env"], { cwd, env: { OTHER: "*" } });
  const environment = parseEnvironment(stdout);
  expect(environment).toMatchObject({
    SOPHIA_FROM_FILES: "NO_PROXY,PULUMI_DEFAULT_ORGANIZATION",
    SOPHIA_LOG_LEVEL: "info",
  });
  expect(environment).not.toHaveProperty("PULUMI_BACKEND_URL");
  expect(environment).not.toHaveProperty("SOPHIA_NO_CONTRACT");
  expect(unwrapLines(stderr)).toContain(" and SOPHIA_NO_CONTRACT");
});

test("a start passes PULUMI_BACKEND_URL of a file on to the Pulumi CLI if the caller allows it, with the mark", async () => {
  const cwd = folder({ ".env": "PULUMI_BACKEND_URL=s3://bucket\nSOPHIA_LEVEL=1\n" });
  const warned = await sophia(["--no-contract", "--", "env"], { cwd });
  expect(unwrapLines(warned.stderr)).toMatch(/^sophia-run: warning: PULUMI_BACKEND_URL and SOPHIA_LEVEL in \.env /);
  const allowed = await sophia(["--no-contract", "--allow", "PULUMI_BACKEND_URL,SOPHIA_LEVEL", "--", "env"], { cwd });
  expect(allowed.stderr).toBe("");
  expect(parseEnvironment(allowed.stdout)).toMatchObject({
    PULUMI_BACKEND_URL: "s3://bucket",
    SOPHIA_LEVEL: "1",
    SOPHIA_FROM_FILES: "PULUMI_BACKEND_URL",
  });
});
