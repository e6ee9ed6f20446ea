/**
 * Makes the code cache of the Node.js that runs it: `node dist/precompile.js`, when the package is built or installed.
 *
 * V8 caches the functions that have run. So the program is run, twice, with an ESC of its own and a program that does
 * nothing: once as it starts a program beside itself, once as it becomes one. That happens in a process of its own,
 * whose output, environment and working directory are nobody else's.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtInContract } from "../contract/generated/built-in.ts";
import { cacheFile, compileScript, entryOf, type ScriptName } from "./scripts.ts";

const inner = "--in-process";
if (process.argv[2] === inner) makeCaches();
else prepareSurroundings();

/** Answers as ESC does when an environment is opened and read. */
function prepareSurroundings(): void {
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-"));
  const values = Object.fromEntries(Array.from(builtInContract().variables.keys(), (name) => [name, { value: "-" }]));
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader("Content-Type", "application/json");
    const body = request.method === "POST" ? { id: "1" } : { properties: { environmentVariables: { value: values } } };
    response.end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1", () => {
    // Sound: a server that listens on a port has an address of this form.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    const { port } = server.address() as AddressInfo;
    writeFileSync(join(folder, ".env"), 'A=1\nexport B="2"\n');
    const child = spawn(process.execPath, [__filename, inner], {
      cwd: folder,
      env: {
        ...pick(["PATH", "SystemRoot"]),
        ESC_ENV: "organization/project/environment",
        ESC_TOKEN: "pul-0",
        PULUMI_BACKEND_URL: `http://127.0.0.1:${port}`,
        SOPHIA_NO_CONTRACT: "1",
        SOPHIA_MODE: "spawn",
      },
      stdio: "ignore",
    });
    const end = (): void => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    };
    // Without a cache the program runs too, only later: nothing that goes wrong here is an error.
    child.once("error", end);
    child.once("exit", end);
  });
}

function makeCaches(): void {
  const scripts = new Map<ScriptName, ReturnType<typeof compileScript>>();
  const script = (name: ScriptName): unknown => {
    const compiled = scripts.get(name) ?? compileScript(__dirname, name);
    scripts.set(name, compiled);
    return entryOf(compiled)(require, script);
  };
  const leave = process.exit.bind(process);
  const finish = (): never => {
    for (const [name, compiled] of scripts) {
      const file = cacheFile(__dirname, name);
      writeFileSync(`${file}.new`, compiled.createCachedData());
      renameSync(`${file}.new`, file);
    }
    return leave(0);
  };
  const becomeProgram = (): void => {
    process.env["SOPHIA_MODE"] = "exec";
    delete process.env["ESC_ENV"];
    delete process.env["ESC_TOKEN"];
    Object.assign(process, { exit: finish, execve: finish });
    script("program");
  };
  let ended = false;
  const onExit = (): void => {
    // It is called once more when the run's promise settles.
    if (ended) return;
    ended = true;
    if (process.platform === "win32") finish();
    else becomeProgram();
  };
  process.argv = [process.execPath, __filename, "--", process.execPath, "-e", "0"];
  Object.assign(process, { exit: onExit });
  script("program");
}

function pick(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
