import { describe, expect, test } from "vitest";
import { type EscServer, secret } from "../../esc-server/index.ts";
import { type ProcessResult, parseEnvironment, sophia } from "../../helpers/sophia.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";
import { ENV, startEscProject } from "../parts/writing/esc-project.ts";
import { expectNoValue, sentinelOf } from "../sophia-environment.ts";

const CONTRACT = JSON.stringify({
  variables: {
    API_KEY: { required: true, format: { type: "text", prefix: "sk-", minLength: 40 } },
    HEX_KEY: { format: { type: "text", pattern: "^[0-9a-f]{32}$" } },
    PIN: { format: { type: "text", pattern: "^[0-9]{4}$" } },
  },
});
const OLD = `sk-${sentinelOf("old")}-${"x".repeat(40)}`;
const NEW = `sk-${sentinelOf("new")}-$\{x}-${"y".repeat(40)}`;
const DEFINITION = `\uFEFF# ours
imports:
  - app/base
values:
  environmentVariables:
    API_KEY: # of the provider
      fn::secret: ${OLD}
    OTHER: 12345678901234567890 # big
    HEX_KEY: {fn::secret: "${"0".repeat(32)}"}
    PIN: {fn::secret: "1234"}
    ADDRESS: {fn::secret: "https://qdrant.example:6333"}
    LINK: \${environmentVariables.OTHER}/x
    ROTATED:
      fn::rotate::aws: {}
`;

async function startEscWithDefinition(definition = DEFINITION, updates?: "approval") {
  const spec = { definition, ...(updates === undefined ? {} : { updates }) };
  const project = await startEscProject(spec, { "sophia.contract.json": CONTRACT });
  const { server, cwd, env } = project;
  server.provider("aws", secret(sentinelOf("aws")));
  const base = server.environment("acme/app/base", { values: { BASE_KEY: secret(sentinelOf("base")) } });
  const run = (args: readonly string[], input = ""): Promise<ProcessResult> =>
    sophia(["rotate", ...args], { cwd, env, input });
  const values = async (environment = ENV): Promise<Record<string, string>> => {
    const launched = { PULUMI_BACKEND_URL: server.url, ESC_ENV: environment, ESC_TOKEN: server.token };
    return parseEnvironment((await sophia(["--no-contract", "--", "env"], { env: launched })).stdout);
  };
  return { ...project, base, run, values };
}

describe("rotate NAME", () => {
  test("sets the value of the standard input, and prints the command that restores the old one alone", async () => {
    const { server, handle, run, values } = await startEscWithDefinition();
    const result = await run(["API_KEY", "--yes"], `${NEW}\n`);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("sophia-run rotate API_KEY --to 1\n");
    expectWording(result.stdout);
    expectNoValue(result);
    expect(await values()).toMatchObject({ API_KEY: NEW, OTHER: "12345678901234567890" });
    const cut = (yaml: string): string => yaml.replaceAll(/ciphertext: "[^"]*"/g, "ciphertext");
    expect(cut(handle.definition)).toBe(cut(handle.revisions[0]?.yaml ?? ""));

    handle.revise({ definition: handle.definition.replace("12345678901234567890", "7") });
    const back = await run(["API_KEY", "--to", "1", "--yes"]);
    expect(back).toMatchObject({ status: 0, stderr: "" });
    expectWording(back.stdout);
    expect(await values()).toMatchObject({ API_KEY: OLD, OTHER: "7" });
    expectNoValue(back);
    expect(server.violations).toEqual([]);
  });

  test.each([
    ["1_000", "1_000"],
    ["0b11", "0b11"],
    ["2001-01-01", "2001-01-01"],
    ["'0b11'", '"0b11"'],
    ["1 000", '"1 000"'],
  ])("--to writes %s, which ESC may take for a number, as %s", async (old, written) => {
    const { handle, run } = await startEscWithDefinition(`values: {environmentVariables: {PIN: ${old}}}\n`);
    expect(await run(["PIN", "--yes"], "1234")).toMatchObject({ status: 0 });
    expect(await run(["PIN", "--to", "1", "--yes"])).toMatchObject({ status: 0, stderr: "" });
    expect(handle.definition).toBe(`values: {environmentVariables: {PIN: ${written}}}\n`);
  });

  test("--to restores a variable that was removed since, and changes nothing else", async () => {
    const { server, handle, run, values } = await startEscWithDefinition();
    const [first] = handle.revisions;
    const removed = (first?.yaml ?? "").replace(/ {4}API_KEY:[^]*?(?= {4}OTHER)/, "");
    handle.revise({ definition: removed });
    expect(await values()).not.toHaveProperty("API_KEY");
    const mistyped = await run(["API_KYE", "--to", "1", "--yes"]);
    expect(mistyped.stderr).toContain('"API_KEY"?');
    expectWording(mistyped.stderr);
    const result = await run(["API_KEY", "--to", "1", "--yes"]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expectWording(result.stdout);
    // Revision 2 does not have it.
    expect(result.stdout).not.toContain("--to");
    expectNoValue(result);
    expect(await values()).toMatchObject({ API_KEY: OLD, OTHER: "12345678901234567890" });
    expect(handle.definition.replace(/^ {4}API_KEY: .*\n/m, "")).toBe(removed);
    expect(server.violations).toEqual([]);
  });

  test("--dry-run and a missing --yes write nothing", async () => {
    const { server, run } = await startEscWithDefinition();
    expect(await run(["API_KEY", "--dry-run"], NEW)).toMatchObject({ status: 0 });
    const unasked = await run(["API_KEY"], NEW);
    expect(unasked).toMatchObject({ status: 125 });
    expect(unasked.stderr).toContain("--yes");
    expect(server.count("update")).toBe(0);
    expectNoValue(unasked);
  });

  test("--generate makes a value of the declared format, or says that it cannot", async () => {
    const { run, values } = await startEscWithDefinition();
    expect(await run(["API_KEY", "--generate", "--yes"])).toMatchObject({ status: 0 });
    expect(await run(["HEX_KEY", "--generate", "--yes"])).toMatchObject({ status: 0 });
    const after = await values();
    expect(after["API_KEY"]).toMatch(/^sk-[\w-]{40,}$/);
    expect(after["HEX_KEY"]).toMatch(/^[0-9a-f]{32}$/);
    expect(after["HEX_KEY"]).not.toMatch(/^0+$/);
    const pin = await run(["PIN", "--generate", "--yes"]);
    expect(pin).toMatchObject({ status: 125 });
    expectWording(pin.stderr);
    const address = await run(["ADDRESS", "--generate", "--yes"]);
    expect(address).toMatchObject({ status: 125 });
    expectWording(address.stderr);
  });

  test.each<[what: string, args: readonly string[], input: string, reached: string]>([
    ["no value", ["API_KEY", "--yes"], "\n", "API_KEY"],
    ["a value of another format", ["API_KEY", "--yes"], sentinelOf("bad"), "sk-"],
    ["a mistyped name", ["API_KYE", "--yes"], NEW, '"API_KEY"?'],
    ["a reference", ["LINK", "--yes"], NEW, "LINK"],
    ["an import", ["BASE_KEY", "--yes"], NEW, "--in acme/app/base"],
    ["a revision without it", ["API_KEY", "--to", "9", "--yes"], "", "9"],
    ["two values", ["API_KEY", "--to", "1", "--generate"], "", "--generate"],
  ])("refuses %s", async (_, args, input, reached) => {
    const { server, run } = await startEscWithDefinition();
    const result = await run(args, input);
    expect(result).toMatchObject({ status: 125 });
    expect(result.stderr).toContain(reached);
    expectWording(result.stderr);
    expect(server.count("update")).toBe(0);
    expectNoValue(result);
  });

  test("changes an import with --in, and of several environments the one that wins", async () => {
    const { server, handle, base, cwd, env, run, values } = await startEscWithDefinition();
    expect(await run(["BASE_KEY", "--in", "acme/app/base", "--yes"], NEW)).toMatchObject({ status: 0 });
    expect([base.revisions.length, handle.revisions.length]).toEqual([2, 1]);
    expect(await values()).toMatchObject({ BASE_KEY: NEW });
    const several = { ...env, ESC_ENV: "acme/app/base,acme/app/dev" };
    const result = await sophia(["rotate", "API_KEY", "--yes"], { cwd, env: several, input: NEW });
    expect(result).toMatchObject({ status: 0 });
    expect(handle.revisions).toHaveLength(2);
    expect(server.violations).toEqual([]);
  });

  test("has ESC rotate a value that ESC rotates itself", async () => {
    const { server, run, values } = await startEscWithDefinition();
    const result = await run(["ROTATED", "--yes"]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("(fn::rotate)");
    expect(result.stdout).not.toContain("--to");
    expect((await values())["ROTATED"]).toMatch(/^rotated-/);
    expect([server.count("rotate"), server.count("update"), server.violations]).toEqual([1, 0, []]);
    server.failNext("rotate", 403);
    const denied = await run(["ROTATED", "--yes"]);
    expect(denied).toMatchObject({ status: 125 });
    expect(denied.stderr).toContain("HTTP 403");
  });

  test.each([
    ["a part of it", "LINKED", "login"],
    ["one that refers to it in turn", "TWICE", "login"],
    ["it in a text", "TEXT", "login"],
    ["one in a list", "LISTED", 'deep["a-b"][0]'],
  ])("has ESC rotate a reference to %s, too", async (_, name, property) => {
    const definition = `values:
  login: {fn::rotate::aws: {}}
  other: {fn::rotate::aws: {}}
  deep: {a-b: [{fn::rotate::aws: {}}]}
  environmentVariables:
    LINKED: \${login.current.key}
    TWICE: \${environmentVariables.LINKED}
    TEXT: postgresql://u:\${login.current.key}@h/d
    LISTED: \${deep["a-b"][0].current.key}
    SEVERAL: \${login.current.key}\${other.current.key}
`;
    const { server, run, values } = await startEscWithDefinition(definition);
    server.provider("aws", { current: { key: secret(sentinelOf("aws")) } });
    const result = await run([name, "--yes"]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain(` ${property} (fn::rotate)`);
    expectWording(result.stdout);
    expect((await values())[name]).toMatch(/rotated-/);
    expect([server.count("rotate"), server.count("update"), server.violations]).toEqual([1, 0, []]);
    // Of several ESC cannot tell which one is meant.
    expect(await run(["SEVERAL", "--yes"], NEW)).toMatchObject({ status: 125 });
    expect(server.count("rotate")).toBe(1);
  });

  test("keeps a change that another user makes in between, and makes no second revision if an answer is lost", async () => {
    const { server, handle, run, values } = await startEscWithDefinition();
    const update = server.hold("update");
    const running = run(["API_KEY", "--yes"], NEW);
    await server.waitFor("update");
    handle.revise({ definition: handle.definition.replace("12345678901234567890", "8") });
    update.release();
    expect(await running).toMatchObject({ status: 0 });
    expect(await values()).toMatchObject({ API_KEY: NEW, OTHER: "8" });
    expect(handle.revisions).toHaveLength(3);
    server.failNext("update", { kind: "disconnect", at: "body" });
    expect(await run(["API_KEY", "--yes"], OLD)).toMatchObject({ status: 0 });
    expect(handle.revisions).toHaveLength(4);
  });

  test("does not replace a value that another user has set in between", async () => {
    const { server, handle, run, values } = await startEscWithDefinition();
    const theirs = `sk-${sentinelOf("theirs")}-${"z".repeat(40)}`;
    const update = server.hold("update");
    const running = run(["API_KEY", "--yes"], NEW);
    await server.waitFor("update");
    handle.revise({ definition: DEFINITION.replace(OLD, theirs) });
    update.release();
    const result = await running;
    expect(result).toMatchObject({ status: 125 });
    expect(result.stderr).toContain("API_KEY");
    expectNoValue(result);
    expect(await values()).toMatchObject({ API_KEY: theirs });
    expect(handle.revisions).toHaveLength(2);
  });

  test("does not write half of a definition back, and refuses a token that may only open", async () => {
    const { server, handle, run, values, env, cwd } = await startEscWithDefinition();
    const [revision] = handle.revisions;
    const half = handle.definition.slice(0, handle.definition.indexOf("    PIN:"));
    const headers = { "Content-Type": "application/x-yaml", ETag: revision?.etag ?? "" };
    // Once where it is shown, once where it is changed.
    server.failNext("definition", { kind: "status", status: 200, body: half, headers }, 2);
    expect(await run(["API_KEY", "--yes"], NEW)).toMatchObject({ status: 0 });
    expect(await values()).toMatchObject({ API_KEY: NEW, PIN: "1234" });
    const { value } = server.addToken({ owner: { kind: "organization", organization: "acme" }, access: "open" });
    const result = await sophia(["rotate", "API_KEY", "--yes"], {
      cwd,
      env: { ...env, ESC_ADMIN_TOKEN: value },
      input: OLD,
    });
    expect(result.status).toBe(125);
    expect(result.stderr).toContain("HTTP 403");
  });

  test("makes a draft of a change that needs an approval", async () => {
    const { handle, run } = await startEscWithDefinition(DEFINITION, "approval");
    const result = await run(["API_KEY", "--yes"], NEW);
    expect(result).toMatchObject({ status: 3, stderr: "" });
    expect(result.stdout).toContain(`pulumi env change-request apply ${handle.drafts[0]?.id}`);
    expect(result.stdout).not.toContain("✅");
    expectNoValue(result);
  });

  test("does not change a file of ESC", async () => {
    const { run } = await startEscWithDefinition(`${DEFINITION}  files:\n    HIDDEN: x\n`);
    const result = await run(["HIDDEN", "--yes"], NEW);
    expect(result).toMatchObject({ status: 125 });
    expect(result.stderr).toContain("HIDDEN");
    expectWording(result.stderr);
  });

  test.each<[fault: Parameters<EscServer["failNext"]>[1], reached: string]>([
    [401, "HTTP 401"],
    [403, "HTTP 403"],
    [409, "4 times"],
    [500, "HTTP 500"],
    [{ kind: "diagnostics", diagnostics: [{ summary: "bad" }] }, "bad"],
    [{ kind: "status", status: 200, body: {} }, "rollback"],
  ])("%j from the update", async (fault, reached) => {
    const { server, handle, run } = await startEscWithDefinition();
    server.failAlways("update", fault);
    const result = await run(["API_KEY", "--yes"], NEW);
    expect(result).toMatchObject({ status: 125 });
    expect(result.stderr).toContain(reached);
    expect(handle.revisions).toHaveLength(1);
    expectNoValue(result);
  });

  test("asks at a terminal, without showing the value", async () => {
    const { cwd, env, values } = await startEscWithDefinition();
    const typed = `${sentinelOf("typo")}\u0015${NEW}z\u007F\n`;
    const result = await atTerminal(["rotate", "API_KEY"], { cwd, env }, [
      ["New value of API_KEY (not shown): ", typed],
      ["Change it? [y/N] ", "y\n"],
    ]);
    expect(result).toMatchObject({ status: 0 });
    expectNoValue(result);
    expect(await values()).toMatchObject({ API_KEY: NEW });
  });
});
