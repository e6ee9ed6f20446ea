/** docs/frameworks/express.md, with Express, dotenv and nodemon. */
import { describe, expect, test } from "vitest";
import { INTERRUPTED, makeProject, fetchFrameworkPackages, type Project, readPage } from "../../helpers/frameworks.ts";
import { notLinux, skipBecause } from "../../helpers/skip.ts";

const page = readPage("express");
const DOTENV = "DATABASE_URL=postgresql://app:sentinel-password@one.test/app\nPORT=$FREE_PORT\n";
const CHANGED = DOTENV.replace("one.test", "two.test");
const WITHOUT = "PORT=$FREE_PORT\n";

function createExpressProject(files: Readonly<Record<string, string>> = {}): Promise<Project> {
  const pages = {
    "package.json": page.block("json", '"scripts"'),
    "sophia.contract.json": page.block("json", '"variables"'),
    "server.js": page.block("js", "express"),
  };
  const modules = fetchFrameworkPackages({ express: "5.3.0", dotenv: "18.0.10", nodemon: "3.1.14" });
  return makeProject({ ...pages, ".env": DOTENV, ...files }, { modules });
}

describe("Express with sophia-run", { timeout: 300_000 }, () => {
  skipBecause(notLinux);

  test("serves by npm run dev, restarts for changed code with the former values, and ends all processes on Ctrl-C", async () => {
    const { serve, write } = await createExpressProject();
    const server = serve("npm run dev");
    await server.showing("database on one.test");
    write(".env", CHANGED);
    write("server.js", page.block("js", "express").replace("database on", "still on"));
    await server.showing("still on one.test");
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("refuses npm start without a value, as the page shows it", async () => {
    const { run } = await createExpressProject({ ".env": WITHOUT });
    const refused = await run("npm --silent start");
    expect(refused).toMatchObject({ status: 78, stdout: "" });
    expect(refused.stderr).toContain(page.blocks("text")[0]);
  });

  test("is restarted by nodemon with sophia-run, which reads and checks a changed .env", async () => {
    // So that it prints when it watches.
    const { serve, write } = await createExpressProject({ "nodemon.json": '{ "verbose": true }' });
    const server = serve(page.block("bash", "nodemon"));
    await server.seen(/watching \d+ file/);
    await server.showing("database on one.test");
    write(".env", WITHOUT);
    await server.seen(/DATABASE_URL is required and not set/);
    await server.seen(/waiting for file changes/);
    write(".env", CHANGED);
    await server.showing("database on two.test");
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("is restarted by nodemon only once a server that ends slowly has freed its port", async () => {
    const slow = `${page.block("js", "express")}process.on("SIGUSR2", () => setTimeout(() => process.exit(), 2000));\n`;
    const { serve, write } = await createExpressProject({ "nodemon.json": '{ "verbose": true }', "server.js": slow });
    const server = serve(page.block("bash", "nodemon"));
    await server.seen(/watching \d+ file/);
    await server.showing("database on one.test");
    write(".env", CHANGED);
    await server.showing("database on two.test");
    const result = await server.interrupt();
    expect(result).toMatchObject({ status: INTERRUPTED });
    expect(result.stdout).not.toContain("EADDRINUSE");
  });

  test("lets named files win in their order, and each must exist", async () => {
    const { serve, write, run } = await createExpressProject();
    const command = page.block("bash", "--dotenv").trim();
    expect(await run(command)).toMatchObject({ status: 125 });
    write(".env.local", "DATABASE_URL=postgresql://app@local.test/app\n");
    const server = serve(command);
    await server.showing("database on local.test");
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("keeps the values of sophia-run with dotenv and --env-file, and loses them to dotenv with override", async () => {
    const print = "console.log(process.env.DATABASE_URL)";
    const { run } = await createExpressProject({
      "config.js": `import "dotenv/config"; ${print}`,
      "override.js": `import dotenv from "dotenv"; dotenv.config({ override: true, quiet: true }); ${print}`,
      "plain.js": print,
    });
    const DATABASE_URL = "postgresql://shell.test/app";
    const printed = async (words: string) => (await run(`sophia-run -- node ${words}`, { DATABASE_URL })).stdout;
    expect(await printed("config.js")).toContain("shell.test");
    expect(await printed("--env-file=.env plain.js")).toContain("shell.test");
    expect(await printed("override.js")).toContain("one.test");
  });

  test("needs no value for npm test", async () => {
    const { run } = await createExpressProject({
      ".env": "",
      "app.test.js": `
        import { test } from "node:test";
        test("has an address", () => console.log("host", new URL(process.env.DATABASE_URL).protocol));`,
    });
    const result = await run("npm test");
    expect(result, result.stderr).toMatchObject({ status: 0 });
    expect(result.stdout).toContain("host postgresql:");
  });
});
