/** docs/frameworks/nextjs.md, with Next.js and nodemon, which bring 350 MB. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { INTERRUPTED, makeProject, fetchFrameworkPackages, type Project, readPage } from "../../helpers/frameworks.ts";
import { notLinux, notNightly, skipBecause } from "../../helpers/skip.ts";

const page = readPage("nextjs");
const SECRET = "sentinel-0a1b2c3d4e";
const PUBLIC = "NEXT_PUBLIC_API_URL=https://public.test\n";
const DOTENV = `${PUBLIC}DATABASE_URL=postgresql://app:${SECRET}@one.test/app\nPORT=$FREE_PORT\n`;
const CHANGED = DOTENV.replace("one.test", "two.test");

/** A page reads the secret when it is built and at each request, and a component of it runs in browsers. */
const APP = {
  "app/layout.js": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }",
  "app/page.js": `
    import { connection } from "next/server";
    import { Api } from "./api";
    const first = new URL(process.env.DATABASE_URL);
    export default async function Page() {
      await connection();
      return <p>{\`database on \${new URL(process.env.DATABASE_URL).hostname}, \${first.protocol}\`}<Api /></p>;
    }`,
  "app/api.js": `
    "use client";
    export function Api() { return <b>{\`public \${process.env.NEXT_PUBLIC_API_URL}, \${process.env.DATABASE_URL}\`}</b>; }`,
};

function createNextProject(files: Readonly<Record<string, string>> = {}): Promise<Project> {
  const pages = {
    "package.json": page.block("json", '"scripts"'),
    "sophia.contract.json": page.block("json", '"variables"'),
    ".gitignore": "node_modules\n.next\n.env\n",
  };
  const modules = fetchFrameworkPackages({ next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1", nodemon: "3.1.14" });
  return makeProject({ ...pages, ...APP, ".env": DOTENV, ...files }, { modules });
}

/** The text of all files below a folder of the build. */
function readBuiltFiles(cwd: string, folder: string): string {
  return readdirSync(join(cwd, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

describe("Next.js with sophia-run:", { timeout: 400_000 }, () => {
  skipBecause(notLinux ?? notNightly);

  test("npm run dev listens on the port of .env, reloads a changed one without effect, and Ctrl-C ends all processes", async () => {
    const { serve, write } = await createNextProject();
    const server = serve("npm run dev");
    await server.showing("database on one.test");
    write(".env", CHANGED);
    await server.seen(/Reload env: \.env/);
    await server.showing("database on one.test");
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("a changed .env has an effect without sophia-run, and its port has none", async () => {
    const { serve, write, port } = await createNextProject({ ".env": DOTENV.replace("$FREE_PORT", "1") });
    const server = serve(`npx next dev --port ${port}`);
    await server.showing("database on one.test");
    write(".env", CHANGED);
    await server.showing("database on two.test");
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("nodemon restarts sophia-run, which reads a changed .env", async () => {
    const { serve, write } = await createNextProject({ "nodemon.json": '{ "verbose": true }' });
    const server = serve(page.block("bash", "nodemon").trim());
    await server.seen(/watching \d+ file/);
    await server.showing("database on one.test");
    write(".env", CHANGED);
    await server.showing("database on two.test");
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("it reads its files in the order of the page, and the environment wins", async () => {
    const files = [".env", ".env.development", ".env.local", ".env.development.local"];
    expect(page.text.replaceAll(/\s+/g, " ")).toContain(
      "`.env`, then `.env.development` or `.env.production`, `.env.local`, and `.env.development.local` or",
    );
    const { run, write } = await createNextProject();
    const command = `node -p 'require("@next/env").loadEnvConfig(".", true, { info() {} }).combinedEnv.PLACE'`;
    for (const file of files) {
      write(file, `PLACE=${file}\n`);
      expect(await run(command)).toMatchObject({ status: 0, stdout: `${file}\n` });
    }
    expect(await run(command, { PLACE: "environment" })).toMatchObject({ status: 0, stdout: "environment\n" });
  });

  test(".env wins over .env.local, unless both are named", async () => {
    const { serve } = await createNextProject({ ".env.local": "DATABASE_URL=postgresql://app@local.test/app\n" });
    for (const [command, host] of [
      ["npm run dev", "one.test"],
      [`npx --no-install ${page.block("bash", "--dotenv").trim()}`, "local.test"],
    ] as const) {
      const server = serve(command);
      await server.showing(`database on ${host}`);
      expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
    }
  });

  test("npm run dev refuses a start without a value, as the page shows it", async () => {
    const { run } = await createNextProject({ ".env": PUBLIC });
    const refused = await run("npm --silent run dev");
    expect(refused).toMatchObject({ status: 78, stdout: "" });
    expect(refused.stderr).toContain(page.blocks("text")[0]);
  });

  test("npm run build writes the public value and no secret, and npm start takes later values of others alone", async () => {
    const { cwd, run, serve, write } = await createNextProject();
    await run("git init --quiet");
    const result = await run("npm run build");
    expect(result, result.stdout + result.stderr).toMatchObject({ status: 0 });
    expect(readBuiltFiles(cwd, ".next/static")).toContain("https://public.test");
    expect(readBuiltFiles(cwd, ".next/static")).not.toContain(SECRET);
    write(".env", CHANGED.replace("public.test", "later.test"));
    const server = serve("npm start");
    await server.showing("database on two.test");
    expect(await server.page()).toContain("public https://public.test");
    expect(await server.page()).not.toContain("later.test");
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("npm run build fails if a secret has the prefix of public values", async () => {
    const { cwd, run } = await createNextProject({
      ".env": `${DOTENV}NEXT_PUBLIC_TOKEN=${SECRET}-of-next\n`,
      "app/api.js": '"use client";\nexport function Api() { return <b>{process.env.NEXT_PUBLIC_TOKEN}</b>; }',
    });
    await run("git init --quiet");
    const result = await run("npm run build");
    expect(readBuiltFiles(cwd, ".next/static")).toContain(`${SECRET}-of-next`);
    expect(result).toMatchObject({ status: 1 });
    expect(result.stdout).toMatch(/\.next\/static\/[^:]+\.js:\d+: NEXT_PUBLIC_TOKEN/);
    expect(result.stdout + result.stderr).not.toContain(SECRET);
  });

  test("npm run build:image needs no secret, and refuses a missing public value before it builds", async () => {
    const { cwd, run } = await createNextProject({ ".env": "" });
    const refused = await run("npm run build:image");
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stdout).toContain("NEXT_PUBLIC_API_URL is required and not set");
    expect(existsSync(join(cwd, ".next"))).toBe(false);
    const result = await run("npm run build:image", { NEXT_PUBLIC_API_URL: "https://argument.test" });
    expect(result, result.stdout + result.stderr).toMatchObject({ status: 0 });
    expect(readBuiltFiles(cwd, ".next/static")).toContain("https://argument.test");
    // Why `check` comes first.
    rmSync(join(cwd, ".next"), { recursive: true });
    const alone = await run("PATH=node_modules/.bin:$PATH sophia-run --fake -- next build");
    expect(alone, alone.stdout + alone.stderr).toMatchObject({ status: 0 });
    expect(readBuiltFiles(cwd, ".next/static")).toContain("https://fake.invalid/");
  });

  test('output: "standalone" copies .env, and scan finds it there', async () => {
    const { cwd, run } = await createNextProject({ "next.config.js": 'module.exports = { output: "standalone" };' });
    expect(await run("npm run build")).toMatchObject({ status: 0 });
    expect(readFileSync(join(cwd, ".next/standalone/.env"), "utf8")).toContain(SECRET);
    const scanRun = await run("npx --no-install sophia-run scan .next/standalone");
    expect(scanRun).toMatchObject({ status: 1 });
    expect(scanRun.stdout).toContain(".next/standalone/.env:2: DATABASE_URL");
  });
});
