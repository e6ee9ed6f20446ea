/**
 * Makes the code cache of the Node.js that runs it: `node dist/precompile.js`, when the package is built or installed.
 *
 * V8 caches the functions that have run. So the program is run with an ESC of its own and a program that does nothing,
 * the way it starts one with this Node.js: what few runs need would have to be read by all. That happens in a process
 * of its own, whose output, environment and working directory are nobody else's.
 */
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Script } from "node:vm";
import { builtInContract } from "../../src/contract/generated/built-in.ts";
import { inheritedDescriptors } from "../../src/launch/proc/descriptors.ts";

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
        // Not left to auto, which without the addon starts a program beside itself while the file of Node.js is new.
        ...("execve" in process && { SOPHIA_MODE: "exec" }),
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

/** A script of the bundle: a function that is given `require`, what runs a further script, and the bundle's folder. */
type Entry = (require: NodeJS.Require, run: (name: string) => unknown, folder: string) => unknown;

function makeCaches(): void {
  const caches = new Map<string, Script>();
  // As bin/sophia-run does it, but without a cache.
  const run = (name: string): unknown => {
    const base = join(__dirname, name);
    const text = readFileSync(`${base}.js`, "latin1");
    const file = `${base}-${text.slice(2, 18)}-${process.version}-${process.arch}.cache`;
    const script = caches.get(file) ?? new Script(text, { filename: `${base}.js` });
    caches.set(file, script);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the bundler wrote the script as such a function
    const entry = script.runInThisContext() as Entry;
    return entry(require, run, __dirname);
  };
  const leave = process.exit.bind(process);
  const finish = (): never => {
    try {
      for (const [file, script] of caches) {
        writeFileSync(`${file}.new`, script.createCachedData());
        renameSync(`${file}.new`, file);
      }
    } catch {
      // A folder that may not be written: each start compiles.
    }
    return leave(0);
  };
  // An installer's descriptors would be handed on, which not every way to start a program can.
  for (const descriptor of inheritedDescriptors({ mayHaveMore: false, onSocket: () => {} })) closeSync(descriptor);
  process.argv = [process.execPath, __filename, "--timeout", "20s", "--", process.execPath, "-e", "0"];
  // What comes last: the program's end where one is started beside this process, else the moment before it is replaced,
  // by the addon if it can be loaded.
  const dlopen = process.dlopen.bind(process);
  const withFinish = (module: { exports: object }, file: string): void => {
    dlopen(module, file);
    module.exports = Object.create(module.exports, { execve: { value: finish } });
  };
  Object.assign(process, { exit: finish, dlopen: withFinish, ...("execve" in process && { execve: finish }) });
  run("program");
}

function pick(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
