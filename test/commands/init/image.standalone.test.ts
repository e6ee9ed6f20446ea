import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Client,
  packageManagerEnvironment,
  availableClients,
  writeStandIns,
} from "../../helpers/package-managers.ts";
import { buildImage } from "../../helpers/image-build.ts";
import { packPackage } from "../../helpers/pack.ts";
import { notNightly, notPackage, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia } from "../../helpers/sophia.ts";
import { startProcess } from "../../helpers/start-process.ts";

skipBecause(notPackage);

let packed: string;
let tarball: string;

beforeAll(async () => {
  packed = mkdtempSync(join(tmpdir(), "sophia-run-test-"));
  tarball = await packPackage(packed);
});

afterAll(() => rmSync(packed, { recursive: true, force: true }));

/** Files of a project by their paths. */
type Files = Readonly<Record<string, string | object>>;

function createProject(files: Files): string {
  const root = folder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  return root;
}

/** What `init` makes for a project is built and started, as a container runtime would. */
async function startImage(
  client: Client,
  files: Files,
  member = "",
): Promise<{ status: number | null; stdout: string }> {
  const root = createProject(files);
  const cwd = join(root, member);
  const home = folder();
  cpSync(tarball, join(cwd, basename(tarball)));
  const env: Record<string, string> = packageManagerEnvironment(home);
  const added = await startProcess([...client.command, ...client.add(basename(tarball))], { cwd, env }).finished;
  expect(added.status, added.stdout + added.stderr).toBe(0);
  const initRun = await sophia(["init", "--with", "docker"], { cwd });
  expect(initRun).toMatchObject({ status: 0, stderr: "" });
  expect(initRun.stdout).toContain("created Dockerfile\n");
  const PATH = `${writeStandIns(folder(), client)}:${env["PATH"] ?? ""}`;
  const image = await buildImage(join(cwd, "Dockerfile"), root, { ...env, PATH });
  return startProcess(image.command, { cwd: image.workdir, env: { ...image.env, GREETING: "hello" } }).finished;
}

const PROGRAM = 'process.stdout.write(process.env.GREETING + "\\n"); process.exitCode = 7;';
const single = (packageManager: string | undefined, files: Files): Files => ({
  ...files,
  "src/server.js": PROGRAM,
  "build.cjs": 'require("fs").cpSync("src", "dist", { recursive: true });',
  "package.json": {
    name: "shop",
    private: true,
    packageManager,
    scripts: { build: "node build.cjs", prepare: "test -d src", start: "sophia-run -- node dist/server.js" },
  },
});
const workspace = (packageManager: string, files: Files): Files => ({
  ...files,
  "package.json": { name: "root", private: true, packageManager, workspaces: ["packages/*"] },
  "packages/lib/package.json": { name: "lib", version: "1.0.0", main: "index.js" },
  "packages/lib/index.js": "module.exports = process.env.GREETING;",
  "packages/api/package.json": {
    name: "api",
    version: "1.0.0",
    private: true,
    scripts: { build: "node build.cjs", start: "node dist/server.js" },
    dependencies: { lib: packageManager.startsWith("npm@") ? "1.0.0" : "workspace:*" },
  },
  "packages/api/build.cjs": 'require("fs").cpSync("src", "dist", { recursive: true });',
  "packages/api/src/server.js": 'process.stdout.write(require("lib") + "\\n"); process.exitCode = 7;',
});
const STARTED = { status: 7, stdout: "hello\n", stderr: "" };

describe.each(availableClients().filter(({ name }) => !name.includes("PnP")))("with $name", (client) => {
  test("a program that is built first starts in the image that init describes", async () => {
    expect(await startImage(client, single(client.packageManager, client.files))).toMatchObject(STARTED);
  }, 180_000);

  test("a package of a workspace starts in its image, with what it needs of the other packages", async ({ skip }) => {
    skip(!client.name.startsWith("npm") && notNightly !== undefined, notNightly);
    const files = workspace(client.packageManager, {
      ...client.files,
      ...(client.name.startsWith("pnpm") ? { "pnpm-workspace.yaml": "packages:\n  - 'packages/*'\n" } : {}),
    });
    expect(await startImage(client, files, "packages/api")).toMatchObject(STARTED);
  }, 180_000);
});

test("init calls Yarn 4 by its version if only the lock file names it", async () => {
  const yarn = availableClients().find(({ name }) => name === "Yarn 4") ?? expect.unreachable();
  expect(await startImage(yarn, single(undefined, yarn.files))).toMatchObject(STARTED);
}, 180_000);
