/** What `check` and `explain` say of `--refresh` and `--aws-refresh`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder, sophia, unwrapLines } from "../../../helpers/sophia.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { startCloudsWorld, VARIABLES } from "./clouds-world.ts";
import { type AwsWorld, startAwsWorld } from "./aws-world.ts";

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;
const ISO: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const KEYS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
const SET = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_SHARED_CREDENTIALS_FILE"];

function ask(
  refreshScene: Pick<AwsWorld, "cwd" | "env">,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  return sophia(args, { cwd: refreshScene.cwd, env: { ...refreshScene.env, ...env } });
}

describe("check --aws-refresh", () => {
  test("shows where the credentials come from, how long they live, and what is withheld", async () => {
    const refreshScene = await startAwsWorld();
    const checked = await ask(refreshScene, ["check", "--aws-refresh"], { AWS_PROFILE: "other", AWS_ROLE_ARN: "arn" });
    expect(checked.status).toBe(0);
    const section = /--- AWS credentials ---\n[^]*?(?=\n\n)/.exec(checked.stdout)?.[0] ?? "";
    expectWording(section.replaceAll(TIME, "TIME"));
    expect(checked.stdout).not.toContain("sentinel");
    const json: unknown = JSON.parse(
      (await ask(refreshScene, ["check", "--aws-refresh", "--json"], { AWS_PROFILE: "p" })).stdout,
    );
    const aws = {
      kind: "renewed",
      variables: KEYS,
      from: "ESC acme/app/dev",
      expiresAt: ISO,
      by: "AWS_CREDENTIAL_EXPIRATION",
      renewsAt: ISO,
      set: SET,
      withheld: ["AWS_CREDENTIAL_EXPIRATION", "AWS_PROFILE"],
    };
    expect(json).toMatchObject({ refresh: { aws } });
  });

  test("follows the contract, and the session if the environment does not say when they expire", async () => {
    const refreshScene = await startAwsWorld({ saysExpiration: false, contract: { awsRefresh: true, variables: {} } });
    const before = Date.now();
    const { stdout } = await ask(refreshScene, ["check", "--json", "--session", "2h"]);
    expect(JSON.parse(stdout)).toMatchObject({ refresh: { aws: { by: "session" } } });
    const [, expiresAt = ""] = /"expiresAt": "(.*)"/.exec(stdout) ?? [];
    expect(Date.parse(expiresAt)).toBeGreaterThan(before + 7_190_000);
    expect((await ask(refreshScene, ["check"], { SOPHIA_AWS_REFRESH: "0" })).stdout).not.toContain("AWS credentials");
  });

  test("fails for keys that cannot be renewed, and names a profile in which SDKs look first", async () => {
    const refreshScene = await startAwsWorld();
    const refused = await ask(refreshScene, ["check", "--aws-refresh"], { AWS_ACCESS_KEY_ID: "AKIA0000000000000000" });
    expect(refused.status).toBe(1);
    expect(unwrapLines(refused.stdout)).toContain(
      "--exclude AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY,AWS_SESSION_TOKEN",
    );
    const config = join(folder(), "config");
    writeFileSync(config, "[default]\nsso_session = x\n");
    const warned = await ask(refreshScene, ["check", "--aws-refresh"], { AWS_CONFIG_FILE: config });
    expect(warned.status).toBe(0);
    expect(warned.stdout).toContain(config);
    const none = await ask(refreshScene, ["check", "--aws-refresh", "--exclude", "AWS_*"]);
    expect(none.stdout).toContain("--aws-refresh has no effect");
  });
});

describe("explain --aws-refresh", () => {
  test("shows what becomes of each variable", async () => {
    const refreshScene = await startAwsWorld();
    const names = ["AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_REGION"];
    const explained = await ask(refreshScene, ["explain", "--aws-refresh", ...names], { AWS_PROFILE: "other" });
    expect(explained.status).toBe(0);
    expect(explained.stdout).not.toContain("sentinel");
    const { stdout } = await ask(refreshScene, ["explain", "--aws-refresh", "--json", ...names], {
      AWS_PROFILE: "other",
    });
    expect(JSON.parse(stdout)).toMatchObject({
      variables: [
        { refresh: { kind: "renewed", of: "aws", expiresAt: ISO, by: "AWS_CREDENTIAL_EXPIRATION", renewsAt: ISO } },
        { refresh: { kind: "withheld", option: "--aws-refresh" } },
        { refresh: { kind: "set", option: "--aws-refresh" } },
        expect.not.objectContaining({ refresh: expect.anything() as unknown }) as unknown,
      ],
    });
    expect(explained.stdout).toContain("set by --aws-refresh");
    expect(explained.stdout).toContain("withholds it");
    expect(unwrapLines(explained.stdout)).toContain("not as a variable");
    const listed = await ask(refreshScene, ["explain", "--aws-refresh"]);
    expect(listed.stdout).toContain("✅ AWS_CONTAINER_AUTHORIZATION_TOKEN");
  });

  test("offers --aws-refresh for credentials that it would renew, and shows why others cannot be renewed", async () => {
    const refreshScene = await startAwsWorld();
    expect((await ask(refreshScene, ["explain", "AWS_SESSION_TOKEN"])).stdout).toContain("--refresh would renew it");
    expect((await ask(refreshScene, ["explain"])).stdout).not.toContain("--refresh");
    const foreign = { AWS_SESSION_TOKEN: "own" };
    const refused = await ask(refreshScene, ["explain", "--aws-refresh", "AWS_SESSION_TOKEN"], foreign);
    expect(unwrapLines(refused.stdout)).toContain("refused: --aws-refresh cannot renew AWS_SESSION_TOKEN");
  });
});

describe("with --refresh", () => {
  test("check shows what is renewed, from where and until when, and fails for what cannot be", async () => {
    const refreshScene = await startCloudsWorld({
      variables: `${VARIABLES.GOOGLE}${VARIABLES.AZURE}\n    AZURE_CLIENT_SECRET: static`,
      files: "\n    TLS_FILE: ${test.content}",
    });
    const checked = await ask(refreshScene, ["check", "--refresh"]);
    expect(checked.status).toBe(0);
    expect(checked.stdout).not.toMatch(/sentinel|c2ln/);
    const section = /--- Renewed while [^]*?(?=\n\n)/.exec(checked.stdout)?.[0] ?? "";
    expectWording(section.replaceAll(TIME, "TIME"));
    const json: unknown = JSON.parse((await ask(refreshScene, ["check", "--refresh", "--json"])).stdout);
    expect(json).toMatchObject({
      refresh: {
        aws: { kind: "nothing" },
        google: { kind: "renewed", variables: ["GOOGLE_OAUTH_ACCESS_TOKEN"], expiresAt: ISO, renewsAt: ISO },
        azure: { kind: "renewed", by: "token", withheld: ["AZURE_CLIENT_SECRET"] },
        files: { kind: "renewed", variables: ["TLS_FILE"], by: "session" },
      },
    });
    const refused = await ask(refreshScene, ["check", "--refresh"], { GOOGLE_APPLICATION_CREDENTIALS: "/own.json" });
    expect(refused.status).toBe(1);
    expect(unwrapLines(refused.stdout)).toContain("--exclude GOOGLE_APPLICATION_CREDENTIALS");
  });

  test("explain shows what becomes of each variable", async () => {
    const refreshScene = await startCloudsWorld({ files: "\n    TLS_FILE: ${test.content}" });
    const names = [
      "GOOGLE_OAUTH_ACCESS_TOKEN",
      "GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY",
      "AZURE_FEDERATED_TOKEN_FILE",
      "TLS_FILE",
    ];
    const { stdout } = await ask(refreshScene, ["explain", "--refresh", "--json", ...names]);
    expect(JSON.parse(stdout)).toMatchObject({
      variables: [
        { refresh: { kind: "renewed", of: "google", by: "GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY", expiresAt: ISO } },
        { refresh: { kind: "withheld", option: "--refresh" } },
        { refresh: { kind: "set", option: "--refresh" } },
        { refresh: { kind: "renewed", of: "files", by: "session" } },
      ],
    });
    const explained = await ask(refreshScene, ["explain", "--refresh", ...names]);
    expect(explained.stdout).not.toMatch(/sentinel|c2ln/);
    expectWording(explained.stdout.slice(explained.stdout.indexOf("\n\n")).replaceAll(TIME, "TIME"));
  });
});
