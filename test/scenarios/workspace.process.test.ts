import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { secret, startEscServer } from "../esc-server/index.ts";
import { folder, sophia, unwrapLines } from "../helpers/sophia.ts";

const CONTRACT = JSON.stringify({ variables: { API_KEY: { required: true }, PORT: {} } });
const PRINT = ["sh", "-c", 'printf %s "$API_KEY:$PORT"'];

/** A repository with a contract and a `.env` at its root, and a package below. */
function createRepository(
  root: Readonly<Record<string, string>>,
  inPackage: Readonly<Record<string, string>> = {},
): string {
  const top = folder({ "sophia.contract.json": CONTRACT, ...root });
  mkdirSync(join(top, ".git"));
  const api = join(top, "packages/api");
  mkdirSync(api, { recursive: true });
  for (const [name, text] of Object.entries(inPackage)) writeFileSync(join(api, name), text);
  return api;
}

test("a package's script has the contract and the .env of the repository's root", async () => {
  const cwd = createRepository({ ".env": "API_KEY=root\nPORT=1\n" });
  expect(await sophia(["--", ...PRINT], { cwd })).toEqual({ status: 0, signal: null, stdout: "root:1", stderr: "" });
  const explained = await sophia(["explain", "API_KEY"], { cwd });
  expect(explained.stdout).toContain(`from     ${join(cwd, "../..")}/.env:1`);
});

test("the .env of the package wins, and that of the root fills gaps", async () => {
  const cwd = createRepository({ ".env": "API_KEY=root\nPORT=1\n" }, { ".env": "PORT=2\n" });
  expect((await sophia(["--", ...PRINT], { cwd })).stdout).toBe("root:2");
  const { stderr } = await sophia(["--verbose", "--", ...PRINT], { cwd });
  expect(unwrapLines(stderr)).toContain(`${join(cwd, "../..")}/.env: 2 variables\n`);
});

test("the .env of the root may configure ESC", async () => {
  await using server = await startEscServer();
  server.environment("acme/app/dev", { values: { API_KEY: secret("esc") } });
  const cwd = createRepository({
    ".env": `ESC_ENV=acme/app/dev\nESC_TOKEN=${server.token}\nPULUMI_BACKEND_URL=${server.url}\n`,
  });
  expect(await sophia(["--", ...PRINT], { cwd })).toMatchObject({ status: 0, stdout: "esc:", stderr: "" });
});

test.each([
  ["a contract in the package itself", { "sophia.contract.json": CONTRACT }, [], {}],
  ["a contract that is named", {}, ["--contract", "../../sophia.contract.json"], {}],
  ["one that a variable names", {}, [], { SOPHIA_CONTRACT: "../../sophia.contract.json" }],
  ["files that are named", { "own.env": "PORT=2\n" }, ["--dotenv", "own.env"], {}],
])("a start does not read the .env of the root: %s", async (_, inPackage, options, env) => {
  const cwd = createRepository({ ".env": "API_KEY=root\n" }, inPackage);
  expect(await sophia([...options, "--", ...PRINT], { cwd, env })).toMatchObject({ status: 78, stdout: "" });
});

test("a start without a contract searches no folder above", async () => {
  const cwd = createRepository({ ".env": "API_KEY=root\n" });
  const plain = join(cwd, "../plain");
  mkdirSync(join(plain, ".git"), { recursive: true });
  // Another repository inside: the search ends at its root.
  const { stdout } = await sophia(["--no-contract", "--", ...PRINT], { cwd: plain });
  expect(stdout).toBe(":");
});
