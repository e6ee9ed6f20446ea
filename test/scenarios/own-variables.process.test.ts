/** Sophia-run's own variables never reach the program from ESC, from files or from the contract: it may start another one. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { escVariables } from "../commands/sophia-environment.ts";
import { secret, startEscServer } from "../esc-server/index.ts";
import { parseEnvironment, folder, sophia, sophiaRun, unwrapLines } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";
import { OWN_VARIABLES } from "../../src/resolve/reserved-names.ts";

const NAME = "acme/app/dev";

async function startEsc(values: Readonly<Record<string, string>>) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, { values });
  return { server, env: escVariables(server, NAME) };
}

function contractFile(variables: Readonly<Record<string, object>>): { readonly "sophia.contract.json": string } {
  return { "sophia.contract.json": JSON.stringify({ variables }) };
}

/** Returns the variables of the program, and the messages of sophia-run. */
async function startProgram(args: readonly string[], options: Parameters<typeof sophia>[1]) {
  const { status, stdout, stderr } = await sophia([...args, "--", "/usr/bin/env"], options);
  return { status, variables: parseEnvironment(stdout), messages: unwrapLines(stderr).trimEnd() };
}

describe("variables of sophia-run itself, from ESC that the caller's own token opens,", () => {
  test("are not used, even with --prefer esc, --keep-esc, --allow and --include; other names are", async () => {
    const own = Array.from(OWN_VARIABLES);
    const more = { SOPHIA_TENANT: "acme", ESC_LEVEL: "1", PLAIN: "1" };
    const { env } = await startEsc({ ...Object.fromEntries(own.map((name) => [name, "of-esc"])), ...more });
    const callers = { ...env, SOPHIA_REASON: "of-the-caller" };
    const rows: readonly (readonly string[])[] = [
      [],
      ["--prefer", "esc"],
      ["--keep-esc"],
      ["--allow", own.join(",")],
      ["--include", "*"],
      ["--mode", "spawn"],
    ];
    for (const args of rows) {
      const { variables, messages } = await startProgram(["--no-contract", ...args], { env: callers });
      expect(variables).toMatchObject({ ...more, SOPHIA_REASON: "of-the-caller" });
      expect(Object.values(variables)).not.toContain("of-esc");
      expect(messages).toMatch(new RegExp(`^sophia-run: warning: .* in ESC environment ${NAME} are not passed on`));
      // All but those of which the environment has a value that the program gets; the message has ten names.
      const passed = Object.keys(variables).filter((name) => OWN_VARIABLES.has(name));
      expect(messages).toContain(` and ${own.length - passed.length - 10} more in ESC`);
    }
  });

  test("are named in a notice", async () => {
    const { env } = await startEsc({
      SOPHIA_ALLOW_ENVIRONMENT: "evil/*/*",
      SOPHIA_REDACT: "never",
      ESC_TOKEN: "pul-other",
    });
    const { messages } = await startProgram(["--no-contract"], { env });
    for (const name of ["SOPHIA_ALLOW_ENVIRONMENT", "SOPHIA_REDACT", "ESC_TOKEN"]) expect(messages).toContain(name);
    expectWording(messages);
  });

  test("do not change the options of a sophia-run in the program", async () => {
    const { env } = await startEsc({ SOPHIA_NO_CONTRACT: "1", SOPHIA_QUIET: "1", SOPHIA_MODE: "nonsense" });
    const cwd = folder(contractFile({ MISSING: { required: true } }));
    const inner = await sophia(["--no-contract", "--", ...sophiaRun, "--", "env"], { cwd, env });
    expect(inner.status).toBe(78);
    expect(inner.stderr).toContain("MISSING");
  });

  test("have the same effect in get, export, explain and check as in a start", async () => {
    const { env } = await startEsc({ SOPHIA_REASON: "of-esc", PLAIN: "1" });
    const cwd = folder(contractFile({ SOPHIA_REASON: { required: false, secret: false }, PLAIN: {} }));
    const at = { cwd, env };
    expect((await sophia(["get", "SOPHIA_REASON"], at)).status).toBe(1);
    expect((await sophia(["export", "--format", "dotenv"], at)).stdout).not.toContain("of-esc");
    const explained = unwrapLines((await sophia(["explain", "SOPHIA_REASON"], at)).stdout);
    expect(explained).toContain("since programs get sophia-run's settings from the environment alone");
    const checked = await sophia(["check"], at);
    expect(checked.stdout).toContain("➖ SOPHIA_REASON: Withheld");
    expect(unwrapLines(checked.stderr)).toContain(`SOPHIA_REASON in ESC environment ${NAME} is not passed on`);
  });
});

describe("a variable of sophia-run itself that a contract declares", () => {
  const declared = contractFile({ SOPHIA_REASON: { required: true, secret: false }, PLAIN: { required: false } });

  test("is required in the environment of the caller, whatever ESC and files have", async () => {
    const { env } = await startEsc({ SOPHIA_REASON: "of-esc", PLAIN: "1" });
    const cwd = folder({
      ...declared,
      ".env": "SOPHIA_REASON=of-file\n",
      ".env.override": "SOPHIA_REASON=of-override\n",
    });
    const unmet = await startProgram([], { cwd, env });
    expect(unmet.status).toBe(78);
    expectWording(unmet.messages);
    const met = await startProgram([], { cwd, env: { ...env, SOPHIA_REASON: "of-the-caller" } });
    expect([met.status, met.variables["SOPHIA_REASON"], met.messages]).toEqual([0, "of-the-caller", ""]);
  });

  test("has a remedy that works: no command writes it into ESC", async () => {
    const { env } = await startEsc({ PLAIN: "1" });
    const { status, messages } = await startProgram([], { cwd: folder(declared), env });
    expect(status).toBe(78);
    expect(messages).toContain("set SOPHIA_REASON in the environment");
    expect(messages).not.toContain("sophia-run set");
  });

  test("gets no dummy value from --fake", async () => {
    const { status, variables, messages } = await startProgram(["--fake"], { cwd: folder(declared) });
    expect([status, variables]).toEqual([78, {}]);
    expect(messages).toContain("SOPHIA_REASON");
  });

  test("is compared without a value: no environment of ESC can provide it", async () => {
    const { server, env } = await startEsc({ SOPHIA_REASON: "of-esc" });
    server.environment("acme/app/prod", { values: { PLAIN: "1" } });
    const args = ["check", "--against", `${NAME},acme/app/prod`, "--json"];
    const { status, stdout } = await sophia(args, { cwd: folder(declared), env });
    expect([status, JSON.parse(stdout)]).toMatchObject([
      0,
      { variables: [{ name: "SOPHIA_REASON", states: { [NAME]: "missing", "acme/app/prod": "missing" } }, {}] },
    ]);
  });
});

describe("a variable of sophia-run itself, from a file or the contract,", () => {
  test.each<[string, object, Readonly<Record<string, string>>, string]>([
    ["a default", { default: "of-file" }, {}, "<folder>/sophia.contract.json"],
    ["an alias in the environment", { aliases: ["OTHER"] }, { OTHER: "of-file" }, "the contract"],
    ["NAME_FILE", {}, { SOPHIA_REASON_FILE: "value" }, "value"],
    ["a folder of secrets", {}, { SOPHIA_SECRETS_DIR: "secrets" }, "secrets/sophia-reason"],
  ])("is not used: %s", async (_, entry, env, place) => {
    const cwd = folder({
      ...contractFile({ SOPHIA_REASON: { required: false, secret: false, ...entry } }),
      value: "of-file",
    });
    mkdirSync(join(cwd, "secrets"));
    writeFileSync(join(cwd, "secrets/sophia-reason"), "of-file");
    const { status, variables, messages } = await startProgram([], { cwd, env });
    expect(status).toBe(0);
    expect(variables).not.toHaveProperty("SOPHIA_REASON");
    expect(messages.replace(cwd, "<folder>")).toContain(`SOPHIA_REASON in ${place} is not passed on`);
  });

  test("is not used from .env and .env.override, and needs no notice if sophia-run reads it there", async () => {
    const { env, server } = await startEsc({ PLAIN: "1" });
    const settings = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
    const cwd = folder({
      ...contractFile({
        SOPHIA_REASON: { required: false },
        SOPHIA_SCOPE: { required: false },
        PLAIN: { required: true },
      }),
      ".env": [...settings, "ESC_ORG=acme\n"].join(""),
    });
    expect(await startProgram([], { cwd })).toMatchObject({ status: 0, variables: { PLAIN: "1" }, messages: "" });
    writeFileSync(
      join(cwd, ".env"),
      [...settings, "SOPHIA_SCOPE=x\nESC_TOKEN_COMMAND=x\nESC_ADMIN_TOKEN=x\n"].join(""),
    );
    writeFileSync(join(cwd, ".env.override"), "SOPHIA_REASON=of-override\n", { mode: 0o600 });
    const { variables, messages } = await startProgram([], { cwd });
    expect(Object.keys(variables).filter((name) => /^(?:ESC|SOPHIA)_/.test(name))).toEqual([]);
    expect(variables["PLAIN"]).toBe("1");
    expectWording(messages);
    expect(messages).not.toContain(server.token);
  });

  test("has its ESC secret in no message", async () => {
    const server = await startEscServer();
    onTestFinished(() => server.close());
    server.environment(NAME, {
      values: { ESC_TOKEN: secret("pul-sentinel-4711") },
      files: { SOPHIA_REASON: "of-esc" },
    });
    const { variables, messages } = await startProgram(["--no-contract"], { env: escVariables(server, NAME) });
    expect(variables).not.toHaveProperty("SOPHIA_REASON");
    expect(messages).toContain("ESC_TOKEN and SOPHIA_REASON in ESC environment");
    expect(messages).not.toContain("sentinel");
  });
});
