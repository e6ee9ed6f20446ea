// Cases for Windows, that run there or in Wine: `node cases.mjs INPUT REPORT`. See run.ts.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { argv, env as own, execPath, exit, kill, stderr } from "node:process";

const [, , inputFile, reportFile] = argv;
/** Commands that start sophia-run and the local ESC server. */
const { launcher, esc } = JSON.parse(readFileSync(inputFile, "utf8"));

const LIMIT_MS = 60_000;
/** Prints what a program got. */
const PRINT = "process.stdout.write(JSON.stringify({ args: process.argv.slice(1), env: process.env }))";
const PRINTING = [execPath, "-e", PRINT, "--"];
const CONTRACT = { variables: { Api_Url: { required: true, secret: false }, LOG_LEVEL: { default: "info" } } };
const AWKWARD = [
  "",
  "a b",
  'q"uote',
  "back\\slash\\",
  "%PATH%",
  "100%",
  "\\%",
  "^&|<>()!",
  "ünï…",
  "*.js",
  "a=b;c,d",
  '"',
  "\\\\",
];

const base = { ...own, PATH: `${dirname(execPath)}${delimiter}${own.PATH}` };
for (const name of Object.keys(base)) if (/^(?:ESC|SOPHIA|PULUMI)_/i.test(name)) delete base[name];
const opening = { ESC_ENV: esc.environment, ESC_TOKEN: esc.token, PULUMI_BACKEND_URL: esc.url };

const cases = {
  "precedence: the environment before ESC before .env, under every spelling": () => {
    const cwd = folder({ ".env": "FOO=file\r\nPath=Z:\\nowhere\r\nONLY_FILE=file\r\nMine=file\r\n" });
    const env = { foo: "environment", ...opening };
    const got = program(sophia(["--no-contract", "--", ...PRINTING], { cwd, env }));
    const folded = Object.keys(got.env).map((name) => name.toUpperCase());
    assert.equal(new Set(folded).size, folded.length, "no two names differ in case only");
    const value = (name) => Object.entries(got.env).find(([each]) => each.toUpperCase() === name)?.[1];
    assert.deepEqual(["FOO", "PATH", "ONLY_FILE", "MINE", "SHARED", "ESC_TOKEN"].map(value), [
      "environment",
      base.PATH,
      "file",
      "esc",
      "esc",
      undefined,
    ]);
  },

  "files of ESC: a private file that is there while the program runs": () => {
    const show =
      "process.stdout.write(JSON.stringify([process.env.KEY_FILE, require('fs').readFileSync(process.env.KEY_FILE, 'utf8')]))";
    const ended = sophia(["--no-contract", "--", execPath, "-e", show], { env: opening });
    assert.equal(ended.status, 0, ended.stderr);
    const [path, content] = JSON.parse(ended.stdout);
    assert.equal(content, "line 1\nline 2\n");
    assert.equal(existsSync(dirname(path)), false, "removed at the end");
  },

  "a command that is not found ends 127, one that cannot be executed 126": () => {
    const cwd = folder({ "notes.txt": "no program\n" });
    const outcome = (...command) => {
      const { status, stdout, stderr: said } = sophia(["--no-contract", "--", ...command], { cwd });
      return [status, stdout, said.trim()];
    };
    assert.deepEqual(outcome("no-such-command", "x"), [127, "", "sophia-run: no-such-command: command not found"]);
    assert.deepEqual(outcome(".\\missing.exe")[0], 127);
    assert.deepEqual(outcome(".\\notes.txt"), [126, "", "sophia-run: .\\notes.txt: not a program for this system"]);
    // The working directory is no place for commands.
    writeFileSync(join(cwd, "here.cmd"), "@exit 0\r\n");
    assert.deepEqual(outcome("here")[0], 127);
    assert.deepEqual(outcome(".\\here")[0], 0);
  },

  "awkward arguments arrive as they are": () => {
    const { args } = program(sophia(["--no-contract", "--", ...PRINTING, ...AWKWARD]));
    assert.deepEqual(args, AWKWARD);
  },

  "a .cmd shim of npm gets its arguments, and its status counts": () => {
    const cwd = folder({ "tool.cjs": `${PRINT.replace("slice(1)", "slice(2)")}; process.exitCode = 3;` });
    const bin = join(cwd, "a b", "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "tool.cmd"), `@ECHO off\r\n"${execPath}" "%~dp0\\..\\..\\tool.cjs" %*\r\n`);
    // cmd.exe of Wine does not know how that of Windows is kept from expanding `%`.
    const given = AWKWARD.filter((argument) => own.WINEPREFIX === undefined || !argument.includes("%"));
    const ended = sophia(["--no-contract", "--", "tool", ...given], {
      cwd,
      env: { PATH: `${bin}${delimiter}${base.PATH}` },
    });
    assert.equal(ended.status, 3, ended.stderr);
    assert.deepEqual(JSON.parse(ended.stdout).args, given);
  },

  "exit statuses have 32 bits": () => {
    for (const status of [1, 256, 0xc000013a]) {
      assert.equal(sophia(["--no-contract", "--", execPath, "-e", `process.exit(${status})`]).status, status);
    }
  },

  "files with CRLF and a byte-order mark": () => {
    const text = `\uFEFF${JSON.stringify(CONTRACT, undefined, 2).replaceAll("\n", "\r\n")}`;
    const cwd = folder({ ".env": "\uFEFFapi_url=https://a.test\r\nTWO='1\r\n2'\r\n", "sophia.contract.json": text });
    const { env } = program(sophia(["--", ...PRINTING], { cwd }));
    assert.deepEqual([env.Api_Url, env.TWO, env.LOG_LEVEL], ["https://a.test", "1\n2", "info"]);
    assert.equal(sophia(["docs", "SECRETS.md"], { cwd }).status, 0);
    const document = join(cwd, "SECRETS.md");
    writeFileSync(document, readFileSync(document, "utf8").replaceAll("\n", "\r\n"));
    const checked = sophia(["docs", "--check", "SECRETS.md"], { cwd });
    assert.equal(checked.status, 0, checked.stderr);
  },

  "check: met under another spelling, else 1": () => {
    const cwd = folder({ "sophia.contract.json": JSON.stringify(CONTRACT) });
    const unmet = sophia(["check", "--json"], { cwd });
    assert.equal(unmet.status, 1, unmet.stderr);
    const met = sophia(["check", "--json"], { cwd, env: { API_URL: "https://a.test" } });
    assert.equal(met.status, 0, met.stderr);
    assert.equal(sophia(["--", ...PRINTING], { cwd }).status, 78);
  },

  "export: one name of each variable, and no credential": () => {
    const cwd = folder({ "sophia.contract.json": JSON.stringify(CONTRACT), ".env": "API_url=https://a.test\n" });
    const ended = sophia(["export", "--format", "json"], { cwd, env: opening });
    assert.equal(ended.status, 0, ended.stderr);
    const exported = JSON.parse(ended.stdout);
    assert.equal(exported.Api_Url, "https://a.test");
    assert.equal(exported.SHARED, "esc");
    assert.equal(ended.stdout.includes(esc.token), false);
    const github = sophia(["export", "--format", "github"], { cwd });
    assert.match(github.stdout, /^Api_Url<<(\S+)\r\nhttps:\/\/a\.test\r\n\1\r\n/m);
  },

  "--broker: the program has a dummy under every spelling, and its request the key": async () => {
    const cwd = folder();
    const [port, got] = [join(cwd, "port"), join(cwd, "got")];
    const serve = `const { writeFileSync } = require("fs");
      const server = require("http").createServer((request, response) => {
        writeFileSync(${JSON.stringify(got)}, request.url + " " + request.headers.authorization);
        response.end("answered");
      }).listen(0, "127.0.0.1", () => writeFileSync(${JSON.stringify(port)}, String(server.address().port)));`;
    const service = spawn(execPath, ["-e", serve], { stdio: "ignore" });
    try {
      await until(() => existsSync(port) && readFileSync(port, "utf8") !== "");
      const key = "sk-real-0123456789abcdefghij";
      // Not by fetch: its connections fail in Wine 8.
      const ask = `const { OPENAI_API_KEY: key, OPENAI_BASE_URL: base } = process.env;
        require("http").get(base + "/models", { headers: { authorization: "Bearer " + key } }, (answer) =>
          answer.on("data", (text) => process.stdout.write(JSON.stringify({ text: String(text), env: process.env }))));`;
      const env = {
        openai_api_key: key,
        Openai_Base_Url: `http://127.0.0.1:${readFileSync(port, "utf8")}/v1`,
      };
      const { text, env: given } = program(
        sophia(["--no-contract", "--broker", "--", execPath, "-e", ask], { cwd, env }),
      );
      assert.equal(text, "answered");
      assert.equal(readFileSync(got, "utf8"), `/v1/models Bearer ${key}`);
      assert.equal(JSON.stringify(given).includes(key), false, "the program has the key nowhere");
      const names = Object.keys(given).map((name) => name.toUpperCase());
      assert.equal(new Set(names).size, names.length, "no two names differ in case only");
    } finally {
      service.kill();
    }
  },

  "stop: what ends the launcher ends the program, and the next start removes its files": async () => {
    const cwd = folder();
    const ready = join(cwd, "ready");
    const stay = `require('fs').writeFileSync(${JSON.stringify(ready)}, JSON.stringify([process.pid, process.env.KEY_FILE])); setInterval(() => {}, 1000)`;
    const [file, ...words] = launcher;
    const started = spawn(file, [...words, "--no-contract", "--", execPath, "-e", stay], {
      cwd,
      env: { ...base, ...opening },
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => started.once("exit", resolve));
    await until(() => existsSync(ready) && readFileSync(ready, "utf8").endsWith("]"));
    const [pid, path] = JSON.parse(readFileSync(ready, "utf8"));
    started.kill();
    await ended;
    await until(() => !isAlive(pid));
    assert.equal(existsSync(path), true, "nobody could remove it");
    assert.equal(sophia(["--no-contract", "--", execPath, "-e", ""], { env: opening }).status, 0);
    assert.equal(existsSync(dirname(path)), false, "removed by the next");
  },
};

/** Runs sophia-run to its end. */
function sophia(args, { cwd, env } = {}) {
  const names = new Set(Object.keys(env ?? {}).map((name) => name.toUpperCase()));
  const rest = Object.fromEntries(Object.entries(base).filter(([name]) => !names.has(name.toUpperCase())));
  const [file, ...words] = launcher;
  return spawnSync(file, [...words, ...args], {
    cwd: cwd ?? folder(),
    env: { ...rest, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
  });
}

/** Returns the input of the printing program. */
function program({ status, stdout, stderr: said }) {
  assert.equal(status, 0, said);
  return JSON.parse(stdout);
}

function folder(files = {}) {
  const path = mkdtempSync(join(tmpdir(), "sophia-case-"));
  folders.push(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

async function until(isSo) {
  for (const end = Date.now() + LIMIT_MS; !isSo();) {
    if (Date.now() > end) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid) {
  try {
    return kill(pid, 0);
  } catch {
    return false;
  }
}

const folders = [];
const results = [];
const chosen = own.SOPHIA_CASE ?? "";
for (const [name, run] of Object.entries(cases)) {
  if (!name.includes(chosen)) continue;
  const start = Date.now();
  let detail;
  try {
    await run();
  } catch (error) {
    detail = error.stack;
  }
  results.push({ name, outcome: detail === undefined ? "passed" : "failed", milliseconds: Date.now() - start, detail });
  stderr.write(
    `${detail === undefined ? "passed" : "FAILED"}  ${name} (${Date.now() - start} ms)\n${detail === undefined ? "" : `${detail}\n`}`,
  );
}
for (const path of folders) rmSync(path, { recursive: true, force: true });
writeFileSync(reportFile, JSON.stringify({ node: process.version, platform: process.platform, cases: results }));
exit(results.every(({ outcome }) => outcome === "passed") ? 0 : 1);
