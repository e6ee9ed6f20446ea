/** docs/frameworks/vite.md, with Vite, Vitest and nodemon. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { INTERRUPTED, makeProject, fetchFrameworkPackages, type Project, readPage } from "../../helpers/frameworks.ts";
import { notLinux, notNightly, skipBecause } from "../../helpers/skip.ts";

const page = readPage("vite");
const SECRET = "sentinel-0a1b2c3d4e";
const DOTENV = `VITE_API_URL=https://one.test\nAPI_KEY=${SECRET}\n`;

function createViteProject(files: Readonly<Record<string, string>> = {}): Promise<Project> {
  const pages = {
    "package.json": page.block("json", '"scripts"'),
    "sophia.contract.json": page.block("json", '"variables"'),
    "vite.config.js": page.block("js", "defineConfig"),
    "index.html": '<!doctype html><title>app</title><script type="module" src="/main.js"></script>',
    "main.js": "document.body.textContent = `${import.meta.env.VITE_API_URL} ${import.meta.env.API_KEY}`;",
    ".gitignore": "node_modules\ndist\n.env\n",
  };
  const modules = fetchFrameworkPackages({ vite: "8.4.0", vitest: "4.1.12", nodemon: "3.1.14" });
  return makeProject({ ...pages, ".env": DOTENV, ...files }, { modules });
}

/** The command with the address on which the test asks. */
const listenCommand = (command: string, { port }: Project): string => `${command} --host 127.0.0.1 --port ${port}`;

/** All text of the build. */
function readBundle(cwd: string): string {
  return readdirSync(join(cwd, "dist"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:js|html)$/.test(name))
    .map((name) => readFileSync(join(cwd, "dist", name), "utf8"))
    .join("\n");
}

describe("Vite with sophia-run:", { timeout: 300_000 }, () => {
  skipBecause(notLinux ?? notNightly);

  test("npm run dev gives public values to pages and secrets to its configuration, and Ctrl-C ends all processes", async () => {
    const api = createServer(({ headers }, response) => void response.end(`seen ${headers.authorization}`));
    await new Promise<void>((resolve) => void api.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void api.close());
    // Sound: it listens on a port.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    const address = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const createdProject = await createViteProject({ ".env": DOTENV.replace("https://one.test", address) });
    const server = createdProject.serve(listenCommand("npm run dev --", createdProject));
    await server.showing(`"VITE_API_URL": "${address}"`, "/main.js");
    expect(await server.page("/main.js")).not.toContain(SECRET);
    expect(await server.page("/api")).toBe(`seen Bearer ${SECRET}`);
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("npm run dev refuses a start without a value, as the page shows it", async () => {
    const { run } = await createViteProject({ ".env": `API_KEY=${SECRET}\n` });
    const refused = await run("npm --silent run dev");
    expect(refused).toMatchObject({ status: 78, stdout: "" });
    expect(refused.stderr).toContain(page.blocks("text")[0]);
  });

  test("a changed .env restarts Vite with the former values", async () => {
    const createdProject = await createViteProject();
    const server = createdProject.serve(listenCommand("npm run dev --", createdProject));
    await server.showing("https://one.test", "/main.js");
    createdProject.write(".env", DOTENV.replace("one.test", "two.test"));
    await server.seen(/server restarted/);
    await server.showing("https://one.test", "/main.js");
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("a changed .env restarts Vite with the new values without sophia-run", async () => {
    const createdProject = await createViteProject();
    const server = createdProject.serve(listenCommand("npx vite", createdProject));
    await server.showing("https://one.test", "/main.js");
    createdProject.write(".env", DOTENV.replace("one.test", "two.test"));
    await server.showing("https://two.test", "/main.js");
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("nodemon restarts sophia-run, which reads a changed .env", async () => {
    const createdProject = await createViteProject({ "nodemon.json": '{ "verbose": true }' });
    const command = page.block("bash", "nodemon").trim();
    const server = createdProject.serve(command.replace(/"$/, ` --host 127.0.0.1 --port ${createdProject.port}"`));
    await server.seen(/watching \d+ file/);
    await server.showing("https://one.test", "/main.js");
    createdProject.write(".env", DOTENV.replace("one.test", "two.test"));
    await server.showing("https://two.test", "/main.js");
    expect(await server.interrupt()).toMatchObject({ status: INTERRUPTED });
  });

  test("npm run build puts the public value into the bundle and no secret, and needs none", async () => {
    const { cwd, run, write } = await createViteProject();
    await run("git init --quiet");
    for (const dotenv of [DOTENV, "VITE_API_URL=https://one.test\n"]) {
      write(".env", dotenv);
      const built = await run("npm run build");
      expect(built, built.stderr + built.stdout).toMatchObject({ status: 0 });
      expect(readBundle(cwd)).toContain("https://one.test");
      expect(readBundle(cwd)).not.toContain(SECRET);
    }
  });

  test("the build does not get secrets, although its configuration puts one into code", async () => {
    const define = "export default { define: { KEY: JSON.stringify(process.env.API_KEY ?? 'withheld') } };";
    const { cwd, run } = await createViteProject({ "vite.config.js": define, "main.js": "document.title = KEY;" });
    expect(await run("npm run build")).toMatchObject({ status: 0 });
    expect(readBundle(cwd)).toContain("withheld");
  });

  test("npm run build fails if a secret has the prefix of public values, which git ignores", async () => {
    const { cwd, run } = await createViteProject({
      ".env": `${DOTENV}VITE_TOKEN=${SECRET}-of-vite\n`,
      "main.js": "document.title = import.meta.env.VITE_TOKEN;",
    });
    await run("git init --quiet");
    const built = await run("npm run build");
    expect(readBundle(cwd)).toContain(`${SECRET}-of-vite`);
    expect(built).toMatchObject({ status: 1 });
    expect(built.stdout).toMatch(/dist\/assets\/[^:]+\.js:1: VITE_TOKEN/);
    expect(built.stdout + built.stderr).not.toContain(SECRET);
  });

  test("npm run build refuses a missing public value", async () => {
    const { run } = await createViteProject({ ".env": "" });
    const refused = await run("npm --silent run build");
    expect(refused).toMatchObject({ status: 78, stdout: "" });
    expect(refused.stderr).toContain("VITE_API_URL is required and not set");
  });

  test("it reads its files in the order of the page, and the environment wins", async () => {
    const files = [".env", ".env.local", ".env.[mode]", ".env.[mode].local"];
    expect(page.text).toContain("`.env`, `.env.local`, `.env.[mode]` and `.env.[mode].local`; later ones win");
    const { run, write } = await createViteProject({
      "order.js": 'import { loadEnv } from "vite"; console.log(loadEnv("test", ".").VITE_PLACE);',
    });
    for (const file of files) {
      write(file.replace("[mode]", "test"), `VITE_PLACE=${file}\n`);
      expect(await run("node order.js")).toMatchObject({ status: 0, stdout: `${file}\n` });
    }
    expect(await run("node order.js", { VITE_PLACE: "environment" })).toMatchObject({ stdout: "environment\n" });
  });

  test(".env wins over the files of a mode, unless they are named", async () => {
    const { cwd, run } = await createViteProject({ ".env.production": "VITE_API_URL=https://production.test\n" });
    const built = async (command: string): Promise<string> => {
      expect(await run(`PATH=node_modules/.bin:$PATH ${command}`)).toMatchObject({ status: 0 });
      return readBundle(cwd);
    };
    expect(await built("vite build")).toContain("https://production.test");
    expect(await built("sophia-run -- vite build")).toContain("https://one.test");
    expect(await built(page.block("bash", "--dotenv").trim())).toContain("https://production.test");
  });

  test("npm test needs no value, and Vitest shows tests all variables", async () => {
    const { run } = await createViteProject({
      ".env": "",
      "vite.config.js": "export default {};",
      "app.test.js": `
        import { expect, test } from "vitest";
        test("has values", () => {
          expect(process.env.API_KEY).toContain("fake");
          expect(import.meta.env.VITE_API_URL).toContain("https://");
          expect(import.meta.env.API_KEY).toContain("fake");
        });`,
    });
    const result = await run("npm test");
    expect(result, result.stdout + result.stderr).toMatchObject({ status: 0 });
  });
});
