/**
 * Another user of the machine looks for what sophia-run leaves where that user can reach: processes, /dev/shm, the folder for
 * temporary files, and a home that every user may search. The user who runs sophia-run has a umask of 0.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { addSophiaEnvironment, escVariables } from "../commands/sophia-environment.ts";
import { startEscServer } from "../esc-server/index.ts";
import { ATTACKER } from "../helpers/attacker.ts";
import { noNobody } from "../helpers/nobody.ts";
import { noAddon, notLinux } from "../helpers/skip.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";
import { WAIT_FOR_MONITOR } from "../helpers/start-process.ts";

/** The uid, which no other test has. */
const USER = 4105;
const reason = notLinux ?? noAddon ?? noNobody;
beforeEach(({ skip }) => skip(reason !== undefined, reason));

/** Tries all that opens, shows or changes something of the user's. Prints the number of tries, and those that succeeded. */
const ATTACK = `
  const fs = require("node:fs"), { createConnection } = require("node:net"), { kill, pid, argv } = process;
  const [user, ...places] = argv.slice(1);
  const won = [];
  let tries = 0;
  const attempt = (what, act) => { tries += 1; try { act(); won.push(what); } catch {} };
  const ownerOf = (path) => { try { return fs.lstatSync(path).uid; } catch { return -1; } };
  // A process that others must not inspect belongs to root in /proc. A zombie has nothing to see.
  const isUsers = (id) => {
    try {
      const status = fs.readFileSync("/proc/" + id + "/status", "utf8");
      return /^Uid:\\t(\\d+)/m.exec(status)?.[1] === user && !/^State:\\tZ/m.test(status);
    } catch { return false; }
  };
  for (const id of fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name) && isUsers(name))) {
    const at = (name) => "/proc/" + id + "/" + name;
    const name = fs.readFileSync(at("comm"), "utf8").trim();
    for (const file of ["environ", "maps", "smaps", "mem", "auxv", "stack", "syscall", "io", "pagemap"]) {
      attempt(name + " " + file, () => fs.readSync(fs.openSync(at(file), "r"), Buffer.alloc(16)));
    }
    for (const link of ["cwd", "root", "exe", "ns/pid", "fd/0", "fd/1", "fd/3", "fd/5", "fd/19", "fd/20"]) attempt(name + " " + link, () => fs.readlinkSync(at(link)));
    for (const list of ["fd", "fdinfo", "map_files", "cwd/", "root/"]) attempt(name + " " + list, () => fs.readdirSync(at(list)));
    for (const signal of [0, "SIGCONT", "SIGTERM", "SIGKILL"]) attempt(name + " " + signal, () => kill(Number(id), signal));
  }
  const inside = ["GOOGLE_APPLICATION_CREDENTIALS", "log.jsonl", "allowed.json", "config.yml", "gh.sock"];
  const look = (path) => {
    if (ownerOf(path) !== Number(user)) {
      let names = [];
      try { names = fs.readdirSync(path); } catch {}
      for (const name of names) look(path + "/" + name);
      return;
    }
    const isFolder = fs.lstatSync(path).isDirectory();
    attempt("list " + path, () => fs.readdirSync(path));
    attempt("open " + path, () => fs.openSync(path, "r"));
    attempt("write " + path, () => fs.writeFileSync(isFolder ? path + "/new" : path, ""));
    for (const name of inside) attempt("find " + path + "/" + name, () => fs.lstatSync(path + "/" + name));
    attempt("enter " + path, () => process.chdir(path));
    process.chdir("/");
    attempt("rename " + path, () => fs.renameSync(path, path + ".mine"));
    attempt("remove " + path, () => fs.rmSync(path, { recursive: true }));
    attempt("change " + path, () => fs.chmodSync(path, 0o777));
    if (!isFolder) attempt("link " + path, () => fs.linkSync(path, argv[2] + "/mine-" + pid));
  };
  for (const place of places) look(place);
  console.log(JSON.stringify({ tries, won }));`;

interface Outcome {
  readonly tries: number;
  readonly won: readonly string[];
}

function runAttack(places: readonly string[]): Outcome {
  const identity = [`--reuid=${ATTACKER}`, `--regid=${ATTACKER}`, "--clear-groups", "--", "setsid", "--wait"];
  const words = [...identity, process.execPath, "-e", ATTACK, String(USER), ...places];
  const { stdout, stderr } = spawnSync("setpriv", words, { cwd: "/", env: {}, encoding: "utf8", timeout: 30_000 });
  expect(stderr).toBe("");
  const outcome: Outcome = JSON.parse(stdout);
  return outcome;
}

test.each([
  ["auto, in the first PID namespace with a cleaner", ["--cache"]],
  ["the monitor", ["--mode", "spawn", "--audit-log", "state/log.jsonl"]],
  ["sophia-run as the parent process", ["--redact", "--cache", "--watch"]],
])("%s gives another user nothing to open, see or change", async (_, options) => {
  await using server = await startEscServer();
  addSophiaEnvironment(server);
  const [home, temporary] = [folder(), folder()];
  mkdirSync(join(home, ".cache"));
  for (const path of [home, join(home, ".cache")]) {
    chownSync(path, USER, USER);
    chmodSync(path, 0o711);
  }
  chmodSync(temporary, 0o1777);
  const wait = options.includes("spawn") ? WAIT_FOR_MONITOR : ":";
  const script = `${wait}; echo "$GOOGLE_APPLICATION_CREDENTIALS"; read line`;
  const as = [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", "--", "sh", "-c", 'umask 0; exec "$@"', "sh"];
  const child = spawn("setpriv", [...as, ...sophiaRun, ...options, "--", "sh", "-c", script], {
    cwd: home,
    env: { PATH: process.env["PATH"], HOME: home, TMPDIR: temporary, ...escVariables(server) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const closed = once(child, "close");
  const [file]: unknown[] = await once(createInterface(child.stdout), "line");
  expect(existsSync(String(file))).toBe(true);
  const { tries, won } = runAttack(["/dev/shm", temporary, join(home, ".cache/sophia-run"), join(home, "state")]);
  expect(won).toEqual([]);
  expect(tries).toBeGreaterThan(70);
  // It would be found.
  const place = dirname(String(file));
  chmodSync(place, 0o755);
  expect(runAttack([place]).won).toEqual(expect.arrayContaining([`list ${place}`, `find ${String(file)}`]));
  child.stdin.end("\n");
  await closed;
});
