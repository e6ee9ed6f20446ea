import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { objectsIn } from "../../../src/esc/transport/answer.ts";
import type { NewToken, Token } from "../../esc-server/tokens.ts";
import { runCommand } from "../../helpers/command-in-process.ts";
import { folder } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { SENTINEL, sentinelOf } from "../sophia-environment.ts";
import { expectNoToken, expectTokenWording, startTokenScene, type TokenScene } from "./token-scene.ts";

type Variables = Readonly<Record<string, string>>;

function rotateToken(tokenScene: TokenScene, args: readonly string[], env: Variables = {}) {
  return runCommand(["rotate", "--token", ...args], { env: { ...tokenScene.env, ...env } });
}

/** Returns the plan, which `--dry-run` prints, after checking that it needs no more than a look. */
async function plan(tokenScene: TokenScene, args: readonly string[] = [], env: Variables = {}): Promise<string> {
  const result = await rotateToken(tokenScene, ["--dry-run", ...args], env);
  expect(result).toMatchObject({ status: 0, stderr: "" });
  expect(result.stdout).toMatch(/\nNothing was created: --dry-run\.\n$/);
  expect([tokenScene.server.count("createToken"), tokenScene.server.count("deleteToken")]).toEqual([0, 0]);
  return result.stdout;
}

/** Lists the tokens of an owner as the service does. @param path the owner: `user`, `orgs/acme` or `orgs/acme/teams/web` */
async function listTokens({ server }: TokenScene, path: string): Promise<readonly Record<string, unknown>[]> {
  const answer = await fetch(`${server.url}/api/${path}/tokens`, {
    headers: { Authorization: `token ${server.token}`, Accept: "application/vnd.pulumi+8", "User-Agent": "test" },
  });
  const { tokens }: { readonly tokens?: unknown } = Object(await answer.json());
  return objectsIn(tokens);
}

const ORGANIZATION = { kind: "organization", organization: "acme" } as const;
const TEAM = { kind: "team", organization: "acme", team: "web" } as const;
const USER = { kind: "personal", login: "demo-user" } as const;
const NEW_NAME = /^sophia-run-\d{8}-\d{6}-[\da-f]{4}$/;
const DAY_SECONDS = 24 * 60 * 60;

test.each<[title: string, owner: Token["owner"], path: string, args: readonly string[], days: number]>([
  ["an organization", ORGANIZATION, "orgs/acme", [], 90],
  ["a team", TEAM, "orgs/acme/teams/web", ["--expires", "30"], 30],
  ["a user", USER, "user", ["--expires", "1d"], 1],
])("the new token of %s takes the place of the old one", async (_, owner, path, args, days) => {
  const tokenScene = await startTokenScene(owner);
  const before = Math.floor(Date.now() / 1000);
  const result = await rotateToken(tokenScene, ["--yes", ...args]);
  expect(result).toMatchObject({ status: 0, stderr: "", questions: [] });
  expectTokenWording(result.stdout);
  const [token = {}, ...others] = (await listTokens(tokenScene, path)).filter(({ description }) => description !== "");
  expect(others).toEqual([]);
  const name = String(token["description"]).replace(/: opens an ESC environment$/, "");
  expect(name).toMatch(NEW_NAME);
  const day = new Date((Number(token["expires"]) - days * DAY_SECONDS) * 1000).toISOString();
  expect(name.slice(11, 19)).toBe(day.slice(0, 10).replaceAll("-", ""));
  expect(token["name"]).toBe(owner.kind === "personal" ? "" : name);
  expect(Number(token["expires"]) - before - days * DAY_SECONDS).toSatisfy((late: number) => late >= 0 && late < 60);
  // The other kinds have the permissions of their owner.
  if (owner.kind === "organization") expect(token["role"]).toMatchObject({ defaultIdentifier: "environment-open" });
  expect(tokenScene.stored("codespaces")).toBe(tokenScene.stored("actions"));
  expect(await tokenScene.isAlive(tokenScene.stored("actions") ?? "")).toBe(true);
  expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(false);
  expectNoToken(tokenScene, result);
  expect(tokenScene.server.violations).toEqual([]);
});

describe("the old token", () => {
  const KIND = ["--kind", "organization"];

  test.each<[title: string, prepare: (tokenScene: TokenScene) => Variables, args: readonly string[], reason: string]>([
    ["none is set", () => ({ ESC_TOKEN: "" }), KIND, "none is set"],
    [
      "the service does not accept it",
      () => ({ ESC_TOKEN: sentinelOf("expired") }),
      KIND,
      "the service does not accept it, so it cannot be identified",
    ],
    [
      "the service does not identify it",
      ({ server }) => ({ ESC_TOKEN: server.addToken({ owner: USER }).value }),
      KIND,
      "the service does not identify it",
    ],
    [
      "its owner's tokens are hidden",
      ({ server }) => (server.failAlways("listTokens", 403), {}),
      [],
      "the token that writes may not list the tokens of its owner",
    ],
    [
      "another token has its name",
      ({ server }) => (server.addToken({ owner: ORGANIZATION, name: "ci" }), {}),
      [],
      "not exactly one token has its name",
    ],
    [
      "it is not in the list",
      ({ server }) => (server.failNext("listTokens", { kind: "status", status: 200, body: { tokens: [] } }), {}),
      [],
      "not exactly one token has its name",
    ],
    [
      "it is also the token that writes",
      ({ server }) => {
        const { value } = server.addToken({ owner: ORGANIZATION, name: "both" });
        return { ESC_TOKEN: value, ESC_ADMIN_TOKEN: value };
      },
      [],
      "it is also the token that writes",
    ],
  ])("stays if %s", async (_, prepare, args, reason) => {
    const tokenScene = await startTokenScene();
    const env = prepare(tokenScene);
    const result = await rotateToken(tokenScene, ["--yes", ...args], env);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    const text = result.stdout.replaceAll(/\n +/g, " ").replaceAll("\n", " ");
    expect(text).toContain(` = the old one is not deleted, because ${reason} ✅ `);
    expect(text).toContain(` The old token still works, because ${reason}. Delete it in the console. The value of `);
    expect(tokenScene.server.count("deleteToken")).toBe(0);
    expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(true);
    expect(await tokenScene.isAlive(tokenScene.stored("actions") ?? "")).toBe(true);
  });

  test.each<[title: string, admin: NewToken]>([
    ["another name", { owner: ORGANIZATION, name: "admin" }],
    ["a team", { owner: TEAM, name: "ci" }],
    ["a user", { owner: USER, name: "ci" }],
  ])("is deleted by a token that only has similar facts: %s", async (_, admin) => {
    const tokenScene = await startTokenScene();
    const { value } = tokenScene.server.addToken(admin);
    const result = await rotateToken(tokenScene, ["--yes"], { ESC_ADMIN_TOKEN: value });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("\n✅ The old token, ci, is deleted.\n");
    expect([await tokenScene.isAlive(tokenScene.old.value), await tokenScene.isAlive(value)]).toEqual([false, true]);
  });

  test("comes from a file, too, and its name is shown harmlessly", async () => {
    const tokenScene = await startTokenScene();
    const { value } = tokenScene.server.addToken({ owner: ORGANIZATION, name: "c\u001Bi" });
    const path = `${folder({ token: value })}/token`;
    const env = { ESC_TOKEN: "", ESC_TOKEN_FILE: path };
    expect(await plan(tokenScene, [], env)).toContain("\n  - the old one, c\\u001bi, after the new one is stored");
  });

  test.each<[string, Variables]>([
    ["a file", { ESC_OIDC_TOKEN_FILE: "/nowhere/id-token" }],
    ["GitHub Actions", { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x.test", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t" }],
  ])("does not exist for a launcher with an ID token of %s", async (_, idToken) => {
    const tokenScene = await startTokenScene();
    const env = { ESC_TOKEN: "", ESC_OIDC_ORG: "acme", GITHUB_ACTIONS: "true", ...idToken };
    const result = await rotateToken(tokenScene, ["--yes"], env);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expectWording(result.stderr);
    expect(tokenScene.server.count("any")).toBe(0);
  });
});

describe("the organization of the new token", () => {
  const KIND = ["--kind", "organization"];
  const NO_TOKEN = { ESC_TOKEN: "" };

  test.each<[title: string, env: Variables, organization: string]>([
    ["the environment", { ESC_ENV: "acme/app/dev", ESC_ORG: "beta" }, "acme"],
    ["the first environment that has one", { ESC_ENV: "app/dev,beta/app/dev,acme/app/dev", ESC_ORG: "acme" }, "beta"],
    ["ESC_ORG", { ESC_ENV: "app/dev", ESC_ORG: "beta" }, "beta"],
    ["the user's default", { ESC_ENV: "app/dev" }, "gamma"],
  ])("is that of %s", async (_, env, organization) => {
    const tokenScene = await startTokenScene();
    tokenScene.server.user = { organizations: ["acme", "beta", "gamma"], defaultOrg: "gamma" };
    const text = await plan(tokenScene, KIND, { ...NO_TOKEN, ...env });
    expect(text).toContain(`The launcher's token for ${(env["ESC_ENV"] ?? "").replaceAll(",", ", ")}:\n`);
    expect(text.replaceAll(/\n +/g, " ")).toContain(`a new one, for the organization ${organization}, which may only`);
  });

  test("must be known", async () => {
    const tokenScene = await startTokenScene();
    tokenScene.server.failAlways("defaultOrg", 404);
    tokenScene.server.failAlways("user", { kind: "status", status: 200, body: {} });
    const result = await rotateToken(tokenScene, ["--yes", ...KIND], { ...NO_TOKEN, ESC_ENV: "app/dev" });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expectWording(result.stderr);
    expect(tokenScene.server.count("createToken")).toBe(0);
  });

  test("must show the role that may only open", async () => {
    const tokenScene = await startTokenScene();
    tokenScene.server.failAlways("listRoles", 403);
    // The old token has that role.
    expect(await plan(tokenScene)).toContain("which may only open environments");
    const { value } = tokenScene.server.addToken({ owner: ORGANIZATION, name: "writes", access: "write" });
    const result = await rotateToken(tokenScene, ["--yes"], { ESC_TOKEN: value });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("nothing was created");
  });
});

describe("tokens that earlier runs may have left", () => {
  const NAME = "sophia-run-20300131-235959-";

  test("are those with the program's names, except for the old token", async () => {
    const tokenScene = await startTokenScene();
    const { server } = tokenScene;
    for (const name of [`${NAME}1`, `${NAME}2`, `x-${NAME}3`, "sophia-runs", "other"]) {
      server.addToken({ owner: ORGANIZATION, name, description: `${NAME}of-description: x` });
    }
    server.addToken({ owner: TEAM, name: `${NAME}of-team` });
    const { value } = server.addToken({ owner: ORGANIZATION, name: `${NAME}old` });
    const text = await plan(tokenScene, [], { ESC_TOKEN: value });
    expect(text.replaceAll(/\n +/g, " ")).toContain(` ? ${NAME}1, ${NAME}2: created by an earlier run; `);
  });

  test("are known by the description if they belong to a user", async () => {
    const tokenScene = await startTokenScene(USER);
    const { server } = tokenScene;
    server.addToken({ owner: USER, description: `${NAME}1: opens\nan environment: x` });
    server.addToken({ owner: USER, description: `${NAME}2` });
    server.addToken({ owner: USER, description: `the token ${NAME}3: x` });
    const text = await plan(tokenScene);
    expect(text.replaceAll(/\n +/g, " ")).toContain(` ? ${NAME}1, ${NAME}2: created by an earlier run; `);
  });

  test("include one that is also the name of the old token, which stays", async () => {
    const tokenScene = await startTokenScene();
    for (let index = 0; index < 2; index += 1) {
      tokenScene.server.addToken({ owner: ORGANIZATION, name: `${NAME}1`, value: sentinelOf(`same${index}`) });
    }
    const text = await plan(tokenScene, [], { ESC_TOKEN: sentinelOf("same1") });
    expect(text.replaceAll(/\n +/g, " ")).toContain(` ? ${NAME}1, ${NAME}1: created by an earlier run; `);
  });

  test("are not mentioned to a token that may not list them", async () => {
    const tokenScene = await startTokenScene();
    tokenScene.server.failAlways("listTokens", 404);
    expect(await plan(tokenScene)).not.toContain("?");
  });
});

describe("a failure leaves the old token, and says which tokens work:", () => {
  test.each<
    [
      title: string,
      fail: (tokenScene: TokenScene) => Variables,
      tokens: { readonly created: number; readonly left: number; readonly stored: number },
    ]
  >([
    ["gh cannot list", () => ({ FAIL: "secret list.*actions" }), { created: 0, left: 0, stored: 0 }],
    ["gh is absent", () => ({ PATH: "/nowhere" }), { created: 0, left: 0, stored: 0 }],
    ["creating", ({ server }) => (server.failAlways("createToken", 403), {}), { created: 1, left: 0, stored: 0 }],
    ["opening", ({ server }) => (server.failAlways("open", 403), {}), { created: 1, left: 0, stored: 0 }],
    [
      "opening and deleting",
      ({ server }) => {
        server.failAlways("open", 403);
        server.failAlways("deleteToken", 403);
        return {};
      },
      { created: 1, left: 1, stored: 0 },
    ],
    ["storing", () => ({ FAIL: "secret set.*actions" }), { created: 1, left: 1, stored: 0 }],
    ["storing the second", () => ({ FAIL: "secret set.*codespaces" }), { created: 1, left: 1, stored: 1 }],
    ["deleting", ({ server }) => (server.failAlways("deleteToken", 403), {}), { created: 1, left: 1, stored: 2 }],
  ])("%s", async (_, fail, tokens) => {
    const tokenScene = await startTokenScene();
    const env = fail(tokenScene);
    const result = await rotateToken(tokenScene, ["--yes"], env);
    expect(result.status).toBe(125);
    expectTokenWording(result.stdout);
    expectTokenWording(result.stderr);
    expect(result.stdout + result.stderr).not.toContain(SENTINEL);
    tokenScene.server.heal();
    const left = (await listTokens(tokenScene, "orgs/acme")).filter(({ name }) => NEW_NAME.test(String(name)));
    const stored = [tokenScene.stored("actions"), tokenScene.stored("codespaces")].filter(
      (value) => value !== undefined,
    );
    const created = tokenScene.server.count("createToken");
    expect({ created, left: left.length, stored: stored.length }).toEqual(tokens);
    expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(true);
  });

  test("the old token is still listed after it was deleted", async () => {
    const tokenScene = await startTokenScene();
    const { server, old } = tokenScene;
    const deletion = server.hold("deleteToken");
    const running = rotateToken(tokenScene, ["--yes"]);
    await server.waitFor("deleteToken");
    const tokens = [
      { id: "another", name: "other" },
      { id: old.id, name: "ci" },
    ];
    server.failNext("listTokens", { kind: "status", status: 200, body: { tokens } });
    deletion.release();
    const result = await running;
    expect(result.status).toBe(125);
    expectTokenWording(result.stderr);
    expect(result.stdout).not.toContain("is deleted");
  });

  test("a token whose deletion cannot be checked counts as deleted", async () => {
    const tokenScene = await startTokenScene();
    const { server } = tokenScene;
    const deletion = server.hold("deleteToken");
    const running = rotateToken(tokenScene, ["--yes"]);
    await server.waitFor("deleteToken");
    server.failAlways("listTokens", 403);
    deletion.release();
    expect(await running).toMatchObject({ status: 0, stderr: "" });
  });

  test("gh sets the secret, but does not list it", async () => {
    const tokenScene = await startTokenScene();
    const result = await rotateToken(tokenScene, ["--yes"], { UNLISTED: "1" });
    expect(result.status).toBe(125);
    expectTokenWording(result.stderr);
    // Without any entry, trying again would not help.
    expect(tokenScene.calls().match(/secret set/g)).toHaveLength(1);
  });
});

describe("a secret of GitHub counts as stored", () => {
  test.each(["EARLIER", "TIMELESS"])("by the success of a gh that lists no time (%s)", async (kind) => {
    const tokenScene = await startTokenScene();
    expect(await rotateToken(tokenScene, ["--yes"], { [kind]: "1" })).toMatchObject({ status: 0, stderr: "" });
    const first = tokenScene.stored("actions") ?? "";
    const again = await rotateToken(tokenScene, ["--yes"], { [kind]: "1", ESC_TOKEN: first });
    expect(again).toMatchObject({ status: 0, stderr: "" });
    expect(tokenScene.stored("actions")).not.toBe(first);
    expect(tokenScene.calls().match(/secret set/g)).toHaveLength(4);
  });

  test("after a second attempt if its time was that of the same second", async () => {
    const tokenScene = await startTokenScene();
    expect(await rotateToken(tokenScene, ["--yes"])).toMatchObject({ status: 0 });
    const first = tokenScene.stored("actions") ?? "";
    tokenScene.setInSameSecond();
    expect(await rotateToken(tokenScene, ["--yes"], { ESC_TOKEN: first })).toMatchObject({ status: 0, stderr: "" });
    expect(tokenScene.calls().match(/secret set ESC_TOKEN --app \w+/g)).toEqual(
      ["actions", "codespaces", "actions", "actions", "codespaces"].map((app) => `secret set ESC_TOKEN --app ${app}`),
    );
  });

  test("never with its former time", async () => {
    const tokenScene = await startTokenScene();
    expect(await rotateToken(tokenScene, ["--yes"])).toMatchObject({ status: 0 });
    const first = tokenScene.stored("actions") ?? "";
    const result = await rotateToken(tokenScene, ["--yes"], { ESC_TOKEN: first, FORGETFUL: "1" });
    expect(result.status).toBe(125);
    expectTokenWording(result.stderr);
    expect(await tokenScene.isAlive(first)).toBe(true);
  });
});

describe("before it creates a token, rotate asks", () => {
  test("for a yes, and creates nothing without one", async () => {
    const tokenScene = await startTokenScene();
    const { env, server } = tokenScene;
    const declined = await runCommand(["rotate", "--token"], { env, answers: ["n"] });
    expect(declined).toMatchObject({ status: 1, questions: ["Create the token? [y/N] "] });
    expect(declined.stdout).toMatch(/\nNothing was created\.\n$/);
    expect(server.count("createToken")).toBe(0);
    expect(await runCommand(["rotate", "--token"], { env, answers: ["y"] })).toMatchObject({ status: 0 });
    expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(false);
  });

  test("about the environments that a found file names", async () => {
    const tokenScene = await startTokenScene();
    tokenScene.server.environment("acme/app/more", { values: {} });
    const { ESC_ENV: _, ...env } = tokenScene.env;
    const cwd = folder({ ".env": "ESC_ENV=acme/app/dev,acme/app/more\n" });
    const refused = await runCommand(["rotate", "--token", "--yes"], { env, cwd });
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expectWording(refused.stderr);
    const declined = await runCommand(["rotate", "--token"], { env, cwd, answers: [""] });
    expect(declined.status).toBe(1);
    expect(declined.questions.map((question) => question.replaceAll(/\s+/g, " "))).toEqual([
      "Create the token for acme/app/dev, acme/app/more (by ESC_ENV in .env)? [y/N] ",
    ]);
    expect(declined.stdout).toContain("The launcher's token for acme/app/dev, acme/app/more:\n");
  });

  test("about them also with --yes, but not for a look", async () => {
    const tokenScene = await startTokenScene();
    const { ESC_ENV: _, ...env } = tokenScene.env;
    const cwd = folder({ ".env": "ESC_ENV=acme/app/dev\n" });
    const confirmed = await runCommand(["rotate", "--token", "--yes"], { env, cwd, answers: [] });
    expect(confirmed).toMatchObject({ status: 125, stdout: "", questions: [] });
    expectWording(confirmed.stderr);
    const dry = await runCommand(["rotate", "--token", "--dry-run"], { env, cwd });
    expect(dry.status).toBe(0);
    expectWording(dry.stderr);
  });

  test("for a token that may write, even for a look", async () => {
    const tokenScene = await startTokenScene();
    const result = await rotateToken(tokenScene, ["--dry-run"], { ESC_ADMIN_TOKEN: "" });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("ESC_ADMIN_TOKEN is not set");
  });

  test("for --yes without a terminal", async () => {
    const tokenScene = await startTokenScene();
    const result = await rotateToken(tokenScene, []);
    expect(result.status).toBe(125);
    expect(result.stderr).toContain("--yes makes the change without asking");
    expect(tokenScene.server.count("createToken")).toBe(0);
  });
});

test("gh gets the tokens of GitHub, but no secret of the contract and no credential for ESC", async () => {
  const tokenScene = await startTokenScene();
  const contract = { variables: { DATABASE_PASSWORD: {}, REGION: { secret: false } } };
  const cwd = folder({ "sophia.contract.json": JSON.stringify(contract) });
  const env = { GH_TOKEN: "of-gh", GITHUB_TOKEN: "of-github", DATABASE_PASSWORD: sentinelOf("database"), REGION: "eu" };
  const result = await runCommand(["rotate", "--token", "--dry-run"], { cwd, env: { ...tokenScene.env, ...env } });
  expect(result).toMatchObject({ status: 0, stderr: "" });
  const variables = readFileSync(`${tokenScene.stub}/environment`, "utf8").split("\n");
  expect(variables).toEqual(expect.arrayContaining(["GH_TOKEN=of-gh", "GITHUB_TOKEN=of-github", "REGION=eu"]));
  expect(variables.join("\n")).not.toContain(SENTINEL);
});
