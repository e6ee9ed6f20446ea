import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EscServer, secret, startEscServer } from "../esc-server/index.ts";
import { memberAt } from "../helpers/json-members.ts";
import { fencedBlocksOf } from "../helpers/markdown.ts";
import { cleanPath } from "../helpers/pack.ts";
import { notInstalled, notPreloadable, skipBecause } from "../helpers/skip.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/without-a-prefix.md"), "utf8");

/** A value that a shell would take apart. */
const VALUE = `it's "q" $HOME \`x\` a\\b\n2`;

/** The block of a section. */
function readRecipe(title: string, language: string): string {
  const section = document.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
  const block = fencedBlocksOf(section).find((one) => one.language === language);
  if (block === undefined) throw new Error(`no ${language} under ${title}`);
  return block.text;
}

/** A project with sophia-run among its packages, and an ESC environment that has what it needs, or nothing. */
async function createProject(
  files: Readonly<Record<string, string>> = {},
  values: Parameters<EscServer["environment"]>[1]["values"] = { API_KEY: secret(VALUE) },
) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment("acme/app/dev", { values });
  const contract = JSON.stringify({ variables: { API_KEY: { required: true } } });
  const cwd = folder({ "sophia.contract.json": contract, ".env": `ESC_ENV=acme/app/dev\n`, ...files });
  mkdirSync(join(cwd, "node_modules/.bin"), { recursive: true });
  // The entry as npm links it, and the stand-alone executable where that is tested.
  const entry = sophiaRun.at(-1) ?? "";
  symlinkSync(sophiaRun.length === 1 ? entry : `${entry}.cjs`, join(cwd, "node_modules/.bin/sophia-run"));
  const env = {
    PATH: cleanPath,
    HOME: cwd,
    ESC_ENV: "acme/app/dev",
    ESC_TOKEN: server.token,
    PULUMI_BACKEND_URL: server.url,
  };
  /** Not synchronous: the server is in this process. */
  const run = (command: readonly [string, ...string[]], more: Readonly<Record<string, string>> = {}) =>
    startProcess(command, { cwd, env: { ...env, ...more } }).finished;
  return { cwd, server, run };
}

const settings = (text: string, cwd: string): unknown =>
  JSON.parse(text.replaceAll(/\$\{(?:workspaceFolder|containerWorkspaceFolder)\}/g, cwd));

describe("direnv, as docs say,", () => {
  skipBecause(notInstalled("direnv", "version"));
  const envrc = readRecipe("direnv", "bash");

  test("sets the unchanged values in the folder", async () => {
    const { run, server } = await createProject({ ".envrc": envrc });
    expect(await run(["direnv", "allow", "."])).toMatchObject({ status: 0 });
    const { status, stdout } = await run(["direnv", "exec", ".", "printenv", "API_KEY", "values"]);
    // `printenv` ends with 1: what the recipe keeps for itself is not exported.
    expect({ status, stdout }).toEqual({ status: 1, stdout: `${VALUE}\n` });
    expect(server.count("open")).toBe(1);
  });

  test("sets no values if the contract is not met, and shows the reason", async () => {
    const { run } = await createProject({ ".envrc": envrc }, {});
    await run(["direnv", "allow", "."]);
    const { status, stdout, stderr } = await run(["direnv", "exec", ".", "echo", "started"]);
    expect({ failed: status !== 0, stdout }).toEqual({ failed: true, stdout: "" });
    expect(stderr).toContain("API_KEY");
  });
});

describe("a shell, as the docs say,", () => {
  const line = readRecipe("A shell", "bash");

  for (const [shell, ...options] of [["bash", "--norc"], ["zsh", "-f"], ["dash"]] as const) {
    test(`${shell} has the unchanged values`, async ({ skip }) => {
      const reason = notInstalled(shell, "-c", "true");
      skip(reason !== undefined, reason);
      const { run } = await createProject();
      expect(await run([shell, ...options, "-c", `${line}\nprintenv API_KEY`])).toMatchObject({
        status: 0,
        stdout: `${VALUE}\n`,
        stderr: "",
      });
    });
  }

  test("fish is started with the values", async ({ skip }) => {
    const reason = notInstalled("fish", "-c", "true");
    skip(reason !== undefined, reason);
    const { run } = await createProject();
    const command = readRecipe("A shell", "fish").replace("-- fish", "-- fish --no-config -c 'printenv API_KEY'");
    expect(await run(["fish", "--no-config", "-c", command])).toMatchObject({
      status: 0,
      stdout: `${VALUE}\n`,
      stderr: "",
    });
  });
});

describe("VS Code's debugger, as the docs say,", () => {
  skipBecause(notPreloadable);

  test("starts the program with its values, and finds an inspector in it", async () => {
    // js-debug puts code of its own into every Node.js process, which opens the inspector there.
    const bootloader = 'require("node:inspector").open(0, "127.0.0.1", false);';
    const program =
      'const { url } = require("node:inspector"); process.stdout.write(JSON.stringify([process.env.API_KEY, url() !== undefined]));';
    const { cwd, run } = await createProject({ "bootloader.cjs": bootloader, "server.js": program });
    const launch = settings(readRecipe("VS Code's debugger", "jsonc"), cwd);
    expect(launch).toMatchObject({ configurations: [{ type: "node", request: "launch" }] });
    const { status, stdout } = await run(commandOf(launch), { NODE_OPTIONS: `--require ${cwd}/bootloader.cjs` });
    expect({ status, stdout }).toEqual({ status: 0, stdout: JSON.stringify([VALUE, true]) });
  });
});

describe("the terminals of a Codespace, as the docs say,", () => {
  const profile = (cwd: string): readonly [string, ...string[]] => {
    const inSettings = ["customizations", "vscode", "settings"];
    const config = settings(readRecipe("A Codespace's terminals", "jsonc"), cwd);
    const name = memberAt(config, ...inSettings, "terminal.integrated.defaultProfile.linux");
    const path = [...inSettings, "terminal.integrated.profiles.linux", String(name)];
    return [String(memberAt(config, ...path, "path")), ...words(memberAt(config, ...path, "args"))];
  };

  test("have the values", async () => {
    const { cwd, run } = await createProject();
    expect(await run([...profile(cwd), "-c", "printenv API_KEY"])).toMatchObject({ status: 0, stdout: `${VALUE}\n` });
  });

  test("open even if ESC cannot be read", async () => {
    const { cwd, run, server } = await createProject();
    await server.close();
    const result = await run([...profile(cwd), "-c", "echo ready"]);
    expect(result).toMatchObject({ status: 0, stdout: "ready\n" });
    expect(result.stderr).toContain("sophia-run: warning: ");
  });
});

/** Returns the only configuration as VS Code evaluates it. */
function commandOf(launch: unknown): readonly [string, ...string[]] {
  const [executable, program] = ["runtimeExecutable", "program"].map((name) =>
    String(memberAt(launch, "configurations", 0, name)),
  );
  return [executable ?? "", ...words(memberAt(launch, "configurations", 0, "runtimeArgs")), program ?? ""];
}

function words(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
