import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { type ProcessResult, folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { SENTINEL, expectNoValue, sentinelOf } from "../sophia-environment.ts";

const ENV = "acme/app/dev";
const DAY = 86_400_000;
const CONTRACT = {
  rotateEvery: "30 days",
  variables: {
    OWN: {},
    LINKED: {},
    IMPORTED: { rotateEvery: "1 year" },
    MINTED: {},
    FOREVER: { rotateEvery: "never" },
    RENAMED: { aliases: ["OLD_NAME"] },
    ABSENT: {},
    PUBLIC: { secret: false },
  },
};
const DEFINITION = `imports:
  - app/base
values:
  stored:
    linked: {fn::secret: ${sentinelOf("linked")}}
  environmentVariables:
    OWN: {fn::secret: ${sentinelOf("own")}}
    LINKED: x-\${stored.linked}-\${outer}
    MINTED: {fn::open::vault: {}}
    FOREVER: {fn::secret: ${sentinelOf("forever")}}
    OLD_NAME: {fn::secret: ${sentinelOf("renamed")}}
    PUBLIC: x
`;
const BASE = `values:
  outer: {fn::secret: ${sentinelOf("outer")}}
  environmentVariables:
    IMPORTED: {fn::secret: ${sentinelOf("imported")}}
`;

/** A day that many days ago, as the report writes it. */
const daysAgo = (days: number): string => new Date(Date.now() - days * DAY).toISOString().slice(0, 10);

/** Compares a report; its days are written as distances from today. */
function expectReport(text: string): void {
  const days = Array.from(text.matchAll(/\d{4}-\d\d-\d\d/g), ([day]) => {
    const distance = Math.round((Date.parse(daysAgo(0)) - Date.parse(day)) / DAY);
    return [day, distance < 0 ? `<today + ${-distance}>` : `<today - ${distance}>`];
  });
  expectWording(text, Object.fromEntries(days));
}

async function startAuditedEsc() {
  let days = 100;
  const server = await startEscServer({ now: () => Date.now() - days * DAY });
  onTestFinished(() => server.close());
  server.provider("vault", secret(sentinelOf("minted")));
  const base = server.environment("acme/app/base", { definition: BASE, creator: "bob" });
  const handle = server.environment(ENV, { definition: DEFINITION, creator: "alice" });
  /** Adds a revision so many days ago; secrets that it does not change keep their ciphertext. */
  const change = (
    of: typeof handle,
    before: number,
    creator: string,
    edit: (yaml: string) => string = (yaml) => `${yaml}# ${before}\n`,
  ): void => {
    days = before;
    of.revise({ definition: edit(of.definition), creator });
  };
  const now = (): void => {
    days = 0;
  };
  const cwd = folder({ "sophia.contract.json": JSON.stringify(CONTRACT) });
  const env = { PULUMI_BACKEND_URL: server.url, ESC_ENV: ENV, ESC_TOKEN: server.token, PATH: folder() };
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<ProcessResult> =>
    sophia(args, { cwd, env: { ...env, ...more } });
  return { server, base, handle, change, now, cwd, env, run };
}

describe("the age that audit reports for a secret", () => {
  test("is the age of the revision that made the value, found through references and imports with few requests", async () => {
    const { server, base, handle, change, now, run } = await startAuditedEsc();
    for (let days = 99; days > 60; days -= 1) change(handle, days, "carol");
    change(handle, 50, "dave", (yaml) => yaml.replace(/OWN: .*/, `OWN: {fn::secret: ${sentinelOf("own2")}}`));
    for (let days = 49; days > 40; days -= 1) change(handle, days, "carol");
    change(base, 10, "erin", (yaml) => yaml.replace(/outer: .*/, `outer: {fn::secret: ${sentinelOf("outer2")}}`));
    now();
    const result = await run(["audit"]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("   sophia-run rotate OWN\n");
    expect(result.stdout).not.toContain("PUBLIC");
    expectReport(result.stdout);
    expectNoValue(result);
    expect(server.count("definition")).toBeLessThan(20);
    expect([server.count("open"), server.violations]).toEqual([0, []]);

    const json = await run(["audit", "--strict", "--json"]);
    expect(json.status).toBe(1);
    expectNoValue(json);
    const { secrets, findings } = JSON.parse(json.stdout);
    expect(secrets[0]).toMatchObject({
      name: "OWN",
      lastChanged: handle.revisions[40]?.created.toISOString(),
      by: "dave",
      revision: 41,
      overdue: true,
      environment: ENV,
    });
    expect(secrets.slice(1)).toMatchObject([
      { name: "LINKED", by: "erin", overdue: false },
      { name: "IMPORTED", by: "bob", overdue: false },
      { name: "MINTED", lastChanged: null, by: null, revision: null, overdue: false },
      { name: "FOREVER", overdue: false },
      { name: "RENAMED", overdue: true },
      { name: "ABSENT", lastChanged: null, overdue: null },
    ]);
    expect(findings).toMatchObject([
      { kind: "overdue", name: "OWN" },
      { kind: "overdue", name: "RENAMED" },
    ]);
  });

  test("is at least the age of the oldest revision that was read, if there are more than 200 revisions, and the report says so", async () => {
    const { handle, change, now, run } = await startAuditedEsc();
    for (let index = 0; index < 205; index += 1) change(handle, index < 4 ? 99 : 20, "carol");
    now();
    const result = await run(["audit"]);
    expect(result.stdout).toContain(`(${ENV}@7`);
    expectReport(result.stdout);
    const [own] = JSON.parse((await run(["audit", "--json"])).stdout).secrets;
    expect(own).toMatchObject({ lastChanged: null, overdue: null, state: "unchanged" });
    expect(own.unchangedSince).toContain(daysAgo(20));
  });

  test("is the age of the revision that an import pins, and of the environment that wins", async () => {
    const { server, base, change, now, run } = await startAuditedEsc();
    change(base, 10, "erin", (yaml) => yaml.replace(/IMPORTED: .*/, `IMPORTED: {fn::secret: ${sentinelOf("two")}}`));
    server.environment("acme/app/pin", { definition: "imports: [app/base@1]\n" });
    now();
    const result = await run(["audit"], { ESC_ENV: `${ENV},acme/app/pin` });
    expect(result.stdout).toContain("bob (acme/app/base@1)\n");
    expect(result.stdout).toContain("alice (acme/app/dev@1)\n");
  });

  test("is not the age of an import that is not merged", async () => {
    const { server, handle, change, now, run } = await startAuditedEsc();
    change(handle, 20, "dave", (yaml) =>
      yaml.replace("  - app/base\n", "  - app/base\n  - app/other: {merge: false}\n"),
    );
    server.environment("acme/app/other", { definition: BASE, creator: "mallory" });
    now();
    const { secrets } = JSON.parse((await run(["audit", "--json"])).stdout);
    expect(secrets).toContainEqual(
      expect.objectContaining({ name: "IMPORTED", environment: "acme/app/base", by: "bob" }),
    );
  });

  test("is not visible to a token that may only open, which is neither a finding nor a failure; ESC_ADMIN_TOKEN sees it", async () => {
    const { server, now, run } = await startAuditedEsc();
    now();
    const owner = { kind: "organization", organization: "acme" } as const;
    const launcher = server.addToken({ owner, access: "open", name: "ci", expires: Date.now() + 60 * DAY });
    const token = { ESC_TOKEN: launcher.value };
    const result = await run(["audit", "--strict"], token);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("➖ OWN: ");
    expect(result.stdout.match(/\brole\b/g)).toHaveLength(1);
    expectReport(result.stdout);
    const admin = await run(["audit"], { ...token, ESC_ADMIN_TOKEN: server.token });
    expect(admin.stdout).toContain("✅ IMPORTED: ");
    expectReport(admin.stdout);
    expect(server.violations).toEqual([]);
    // An import that is not visible hides what it may give.
    server.environment("acme/app/base", { definition: BASE, deny: 403 });
    const hidden = await run(["audit"], { ESC_ADMIN_TOKEN: server.token });
    expect(hidden.stdout).toContain("➖ IMPORTED: ");
    expect(hidden.stdout).toContain("✅ FOREVER: ");
  });

  test("is a failure of audit if ESC refuses the token or is down", async () => {
    const { server, run } = await startAuditedEsc();
    const refused = await run(["audit"], { ESC_TOKEN: "pul-0000" });
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expect(refused.stderr).toContain("HTTP 401");
    server.failAlways("revisions", 503);
    expect(await run(["audit", "--timeout", "1s"])).toMatchObject({ status: 125, stdout: "" });
  });
});

describe("audit reports", () => {
  test.each<[what: string, token: { access: "open" | "write"; expires: number }]>([
    ["may do more than open", { access: "write", expires: Date.now() + 60 * DAY }],
    ["never expires", { access: "open", expires: 0 }],
    ["expires soon", { access: "open", expires: Date.now() + 3 * DAY }],
  ])("a token that %s", async (_, token) => {
    const { server, now, run } = await startAuditedEsc();
    now();
    const owner = { kind: "team", organization: "acme", team: "core" } as const;
    const launcher = server.addToken({ owner, name: "ci", ...token });
    const tokens = { ESC_TOKEN: launcher.value, ESC_ADMIN_TOKEN: server.token };
    const result = await run(["audit", "--strict"], tokens);
    expectReport(result.stdout);
    expect(result.status).toBe(1);
  });

  test("no finding for a token with a custom role, but the role's name, since ESC does not show what the role permits", async () => {
    const { server, now, run } = await startAuditedEsc();
    now();
    const owner = { kind: "organization", organization: "acme" } as const;
    const launcher = server.addToken({
      owner,
      name: "ci",
      access: "open",
      customRole: "open-dev",
      expires: Date.now() + 60 * DAY,
    });
    const tokens = { ESC_TOKEN: launcher.value, ESC_ADMIN_TOKEN: server.token };
    const { stdout } = await run(["audit"], tokens);
    expect(unwrapLines(stdout)).toContain("➖ ci: custom role open-dev, which audit does not examine, expires on ");
    const { token, findings } = JSON.parse((await run(["audit", "--json"], tokens)).stdout);
    expect(token).toMatchObject({ kind: "known", name: "ci", roleName: "open-dev" });
    const forging = server.addToken({ owner, name: "ci\u001b[2J", access: "open", customRole: "a\n✅ No findings" });
    const forged = await run(["audit"], { ...tokens, ESC_TOKEN: forging.value });
    expect(forged.stdout).not.toContain("\u001b");
    expect(forged.stdout).not.toMatch(/^✅ No findings/m);
    expect(unwrapLines(forged.stdout)).toContain("custom role a\\n✅ No findings, which audit does not examine");
    expect(findings).not.toContainEqual(expect.objectContaining({ kind: "token-role" }));
  });

  test("files that git tracks, files that are world-readable, and repository secrets that are not set", async () => {
    const { now, cwd, run } = await startAuditedEsc();
    now();
    const bin = join(cwd, "bin");
    mkdirSync(bin);
    const stub = `#!/bin/sh
echo "$*" >> "${cwd}/asked"
env > "${cwd}/env-of-gh"
[ "$4" = actions ] && echo '[{"name":"ESC_ENV"}]' && exit
echo 'to get started with GitHub CLI, run: gh auth login' >&2
exit 4
`;
    writeFileSync(join(bin, "gh"), stub, { mode: 0o755 });
    writeFileSync(join(cwd, ".env"), `OWN=${sentinelOf("file")}\n`);
    chmodSync(join(cwd, ".env"), 0o644);
    chmodSync(cwd, 0o755);
    execFileSync("git", ["init", "-q"], { cwd });
    execFileSync("git", ["add", ".env"], { cwd });
    const path = `${bin}:${process.env["PATH"] ?? ""}`;
    const result = await run(["audit", "--json"], {
      PATH: path,
      OWN: sentinelOf("process"),
      GH_TOKEN: "gho_of-the-user",
    });
    expectNoValue(result);
    const { findings, unseen } = JSON.parse(result.stdout);
    expect(findings.filter(({ kind }: { kind: string }) => kind !== "overdue")).toMatchObject([
      { kind: "tracked", file: ".env" },
      { kind: "exposed", file: ".env", remedy: "chmod 600 .env" },
      { kind: "repository-secret", name: "ESC_TOKEN", app: "actions" },
    ]);
    expectReport(
      `${findings.map(({ message, remedy }: Readonly<Record<string, string>>) => `${message}\n${remedy}`).join("\n")}\n${unseen.join("\n")}`,
    );
    const ghRequests = execFileSync("sort", [join(cwd, "asked")], { encoding: "utf8", env: { LC_ALL: "C" } });
    // Without JSON, too, in case it is an earlier version.
    expect(ghRequests.trimEnd().split("\n")).toEqual([
      "secret list --app actions --json name,updatedAt",
      "secret list --app codespaces",
      "secret list --app codespaces --json name,updatedAt",
    ]);
    const ghEnvironment = execFileSync("cat", [join(cwd, "env-of-gh")], { encoding: "utf8" });
    expect(ghEnvironment).toContain("GH_TOKEN=gho_of-the-user");
    expect(ghEnvironment).not.toMatch(/SENTINEL|ESC_TOKEN=/);
  });

  test("in a run without ESC the other findings, and that ESC was not read", async () => {
    const cwd = folder({ "sophia.contract.json": JSON.stringify(CONTRACT) });
    const result = await sophia(["audit", "--json", "--strict"], { cwd, env: { PATH: folder() } });
    expect(result).toMatchObject({ status: 2, stderr: "" });
    const { secrets, unseen } = JSON.parse(result.stdout);
    expect(secrets[0]).toMatchObject({ name: "OWN", lastChanged: null, overdue: null });
    expectWording(unseen[0]);
    const { stdout } = await sophia(["audit"], { cwd, env: { PATH: folder() } });
    expect(stdout).toContain("--- Secrets in ESC ---\n➖ Not read\n\n");
    expect(stdout).toContain("--- Summary ---\n⚠️ ");
  });

  test("that a contract without secrets is the reason for an empty list", async () => {
    const { cwd, run } = await startAuditedEsc();
    writeFileSync(join(cwd, "sophia.contract.json"), '{"variables":{"MODE":{"secret":false}}}');
    const { stdout } = await run(["audit"]);
    expect(stdout).toContain("--- Secrets in ESC ---\n➖ The contract declares no secret\n\n");
  });
});

describe("check of an ESC environment", () => {
  test("shows the revision and the age of an environment if the token may see them", async () => {
    const { server, handle, change, now, run } = await startAuditedEsc();
    change(handle, 3, "dave");
    now();
    const { stdout } = await run(["check"]);
    expect(stdout).toContain("Revision 2");
    expectWording(stdout.split("\n").find((line) => line.includes("Revision 2")) ?? "");
    const { revisions } = JSON.parse((await run(["check", "--json"])).stdout);
    expect(revisions).toMatchObject([{ environment: ENV, revision: 2, by: "dave" }]);
    const owner = { kind: "organization", organization: "acme" } as const;
    const { value: ESC_TOKEN } = server.addToken({ owner, access: "open" });
    const unseen = await run(["check"], { ESC_TOKEN });
    expect(unseen).toMatchObject({ status: 0, stderr: "" });
    expect(unseen.stdout).not.toContain("Revision");
    server.failAlways("revisions", 503);
    expect(await run(["check", "--timeout", "2s"])).toMatchObject({ status: 0, stderr: "" });
    expect(server.violations).toEqual([]);
  });

  test("--overdue fails for overdue secrets, and ignores secrets that the token may not see", async () => {
    const { server, now, run } = await startAuditedEsc();
    now();
    const result = await run(["check", "--overdue"]);
    expect(result.status).toBe(1);
    expect(unwrapLines(result.stdout)).toMatch(new RegExp(`❌ OWN: .*${daysAgo(70)}.*${daysAgo(100)}`));
    expect(result.stdout).toContain("❌ 3 secrets");
    expect(result.stdout).toContain("     sophia-run rotate OWN\n");
    expect(result.stdout).not.toContain("All checks passed");
    expectNoValue(result);
    const { ages, met } = JSON.parse((await run(["check", "--overdue", "--json"])).stdout);
    expect(met).toBe(true);
    expect(ages[0]).toMatchObject({ name: "OWN", overdue: true });
    const owner = { kind: "organization", organization: "acme" } as const;
    const { value: ESC_TOKEN } = server.addToken({ owner, access: "open" });
    const unseen = await run(["check", "--overdue"], { ESC_TOKEN });
    expect(unseen.status).toBe(0);
    expect(unwrapLines(unseen.stdout)).toContain(`➖ the definition of ${ENV}: `);
    const both = await run(["check", "--overdue", "--against", ENV]);
    expect(both.status).toBe(125);
  });
});

describe("audit's report of the contract in ESC", () => {
  test("has a line for each environment, without an admin token and without a further request", async () => {
    const { server, handle, run, now, cwd, env } = await startAuditedEsc();
    now();
    const missing = await run(["audit"]);
    expect(missing.stdout).toContain(`--- Contract in ESC ---\n➖ ${ENV}: ESC does not check the values`);
    const admin = { ESC_ADMIN_TOKEN: server.token };
    expect(await run(["enforce", "--only", "OWN,PUBLIC", "--yes"], admin)).toMatchObject({ status: 0 });
    const there = server.calls.length;
    const current = await run(["audit"]);
    expect(current.stdout).toContain(`✅ ${ENV}: ESC checks the values by this contract`);
    const latest = server.calls.slice(there).filter(({ operation, path }) => {
      return operation === "definition" && path.endsWith(`/${ENV}`);
    });
    expect(latest).toHaveLength(1);
    const report: unknown = JSON.parse((await run(["audit", "--json"])).stdout);
    expect(report).toMatchObject({ schemas: [{ environment: ENV, state: "current" }] });

    const changed = { ...CONTRACT, variables: { ...CONTRACT.variables, OWN: { required: true } } };
    writeFileSync(join(cwd, "sophia.contract.json"), JSON.stringify(changed));
    const differs = await run(["audit"]);
    expect(differs.stdout).toContain(`❌ ${ENV}: The schema in ESC is not what the contract gives`);
    expect(unwrapLines(differs.stdout)).toContain(`sophia-run enforce --in ${ENV}`);
    expect(differs.stdout).not.toContain(SENTINEL);
    const strict: unknown = JSON.parse((await run(["audit", "--json"])).stdout);
    expect(strict).toMatchObject({
      schemas: [{ state: "differs" }],
      findings: expect.arrayContaining([expect.objectContaining({ kind: "schema-differs", environment: ENV })]),
    });
    expect(env).not.toHaveProperty("ESC_ADMIN_TOKEN");
    expect(handle.revisions).toHaveLength(2);
  });

  test("is missing for a token that may only open", async () => {
    const { server, run, now } = await startAuditedEsc();
    now();
    const { value } = server.addToken({ owner: { kind: "personal", login: "demo-user" }, access: "open" });
    const report: unknown = JSON.parse((await run(["audit", "--json"], { ESC_TOKEN: value })).stdout);
    expect(report).toMatchObject({ schemas: [{ environment: ENV, state: "unseen" }] });
  });
});
