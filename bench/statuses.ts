/**
 * `npx tsx bench/statuses.ts`: what the caller of a launcher sees of the program's end, which signals to the launcher reach the
 * program, and what each launcher does if a required value is missing. Writes docs/measurements/statuses.md; `--dry` prints. The
 * launchers in Go and Rust are those of bench/peers/fetch.sh.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { publish, table, wrap } from "../scripts/markdown.ts";
import { startEscServer } from "../test/esc-server/index.ts";
import { buildPackage } from "../test/helpers/build.ts";
import { processorTimeOf } from "./broker/process.ts";
import { escPeers, installPeers, peers } from "./peers.ts";
import {
  BARE_ENVIRONMENT,
  cache,
  CONTRACT_VALUES,
  escService,
  nodeOf,
  root,
  workingDirectory,
} from "./surroundings.ts";

/** These of the benchmark read no values. */
const WITHOUT_VALUES: ReadonlySet<string> = new Set(["cross-env", "tini", "dumb-init"]);
const COMMAND = "npx tsx bench/statuses.ts";
const STATUSES = [3, 77, 255] as const;
const DEADLY = ["SIGTERM", "SIGKILL"] as const;
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;
/** The status of the program that handles a signal. */
const HANDLED = 42;
/** A launcher may forward a signal later; dotenvx waits for a second. */
const PATIENCE_MS = 10_000;
/** A launcher that has used no processor time for so long has installed its handlers. */
const SETTLED_MS = 300;
/** The time that a program has for its note once the launcher has ended. */
const NOTE_MS = 1000;

/** A launcher as a command prefix, with what it needs. */
interface Launcher {
  readonly name: string;
  readonly prefix: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How the launcher ended: a status, or the signal that killed it. */
type End = number | NodeJS.Signals;

async function main(temporary: string): Promise<void> {
  buildPackage();
  const esc = await escService();
  try {
    const { launchers, missing } = await available(temporary, esc);
    const rows: (readonly string[])[] = [];
    for (const launcher of launchers) rows.push(await rowOf(launcher, temporary));
    const refusals = await refusalTable(temporary);
    publish(join(root, "docs/measurements/statuses.md"), COMMAND, document(rows, missing, refusals));
  } finally {
    esc.close();
  }
}

/** Finds the launchers, with their versions. Varlock needs a newer Node.js than 20. */
async function available(temporary: string, esc: Awaited<ReturnType<typeof escService>>) {
  const node = nodeOf(24);
  const place = {
    node,
    major: 24,
    cwd: workingDirectory(temporary),
    env: { ...BARE_ENVIRONMENT, ...CONTRACT_VALUES },
    temporary,
  };
  const groups = [await peers(place), escPeers(place, esc)];
  const asLauncher = ({ name, argv, cwd, env }: (typeof groups)[number]["cases"][number]): Launcher => ({
    name: [name, versionOf(name)].filter(Boolean).join(" "),
    prefix: argv.slice(0, -1),
    cwd,
    env,
  });
  const ours = (["exec", "spawn"] as const).map((mode) => ({
    name: `sophia-run --mode ${mode}`,
    prefix: [node, join(root, "bin/sophia-run.cjs"), "--mode", mode, "--"],
    cwd: place.cwd,
    env: place.env,
  }));
  const sops = sopsLauncher(temporary, place);
  return {
    launchers: [
      { name: "no launcher", prefix: [], cwd: place.cwd, env: place.env },
      ...ours,
      ...groups.flatMap(({ cases }) => cases.filter(({ name }) => !WITHOUT_VALUES.has(name)).map(asLauncher)),
      ...("missing" in sops ? [] : [sops]),
    ],
    missing: [
      ...groups.flatMap((group) => group.missing).filter(({ name }) => !WITHOUT_VALUES.has(name)),
      ...("missing" in sops ? [sops] : []),
    ],
  };
}

/** The version that npm installed, or that bench/peers/fetch.sh built. */
function versionOf(name: string): string {
  const packages: Readonly<Record<string, string>> = { dotenvx: "@dotenvx/dotenvx" };
  const manifest = join(installPeers(), "node_modules", packages[name] ?? name, "package.json");
  // Sound: npm wrote it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  if (existsSync(manifest)) return (JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string }).version;
  const built = join(cache, "built-peers", `${name}.version`);
  if (existsSync(built)) return readFileSync(built, "utf8").trim();
  return /\d[\w.]*/.exec(spawnSync(name, ["--version"], { encoding: "utf8" }).stdout ?? "")?.[0] ?? "";
}

/** SOPS takes a line for a shell, not words, and reads a file that it has encrypted. */
function sopsLauncher(
  temporary: string,
  { cwd, env }: Pick<Launcher, "cwd" | "env">,
): Launcher | { readonly name: string; readonly missing: string } {
  const [sops, keygen] = ["sops", "age-keygen"].map((name) => join(cache, "built-peers/bin", name));
  if (sops === undefined || keygen === undefined || !existsSync(sops) || !existsSync(keygen)) {
    return { name: "sops", missing: "not installed here" };
  }
  const key = join(temporary, "age-key.txt");
  execFileSync(keygen, ["-o", key], { stdio: "ignore" });
  const recipient = execFileSync(keygen, ["-y", key], { encoding: "utf8" }).trim();
  const file = join(temporary, "encrypted.env");
  writeFileSync(
    file,
    execFileSync(sops, [
      "encrypt",
      "--age",
      recipient,
      "--input-type",
      "dotenv",
      "--output-type",
      "dotenv",
      join(cwd, ".env"),
    ]),
  );
  return {
    name: `sops exec-env ${versionOf("sops")}`,
    prefix: ["bash", "-c", `exec "${sops}" exec-env "${file}" "$(printf '%q ' "$@")"`, "sops"],
    cwd,
    env: { ...env, SOPS_AGE_KEY_FILE: key },
  };
}

async function rowOf(launcher: Launcher, temporary: string): Promise<readonly string[]> {
  const statuses: End[] = [];
  for (const status of STATUSES) statuses.push(await ended(launcher, `exit ${status}`, temporary));
  const deaths: End[] = [];
  for (const signal of DEADLY) deaths.push(await ended(launcher, `kill -${signal.slice(3)} $$`, temporary));
  const reached: string[] = [];
  let handled: End | undefined;
  for (const signal of SIGNALS) {
    const { isReached, end } = await signalled(launcher, signal, temporary);
    if (isReached) reached.push(signal.slice(3));
    if (signal === "SIGTERM") handled = end;
  }
  return [
    launcher.prefix.length === 0 ? launcher.name : `\`${launcher.name}\``,
    statuses.join(", "),
    deaths.join(", "),
    reached.length === SIGNALS.length ? "all" : reached.join(", ") || "**none**",
    `${handled ?? "runs on"}`,
  ];
}

/** Runs a script of a shell by the launcher to its end. */
function ended(launcher: Launcher, script: string, temporary: string): Promise<End> {
  return endOf(started(launcher, script, temporary));
}

/**
 * Sends a signal to the launcher alone, once its program handles it. The program notes that it was reached, and ends with
 * {@link HANDLED}.
 */
async function signalled(launcher: Launcher, signal: (typeof SIGNALS)[number], temporary: string) {
  const note = join(mkdtempSync(join(temporary, "signal-")), "note");
  const name = signal.slice(3);
  const script = `trap 'echo reached >> ${note}; exit ${HANDLED}' ${name}; echo $$ > ${note}; while :; do sleep 0.05; done`;
  const child = started(launcher, script, temporary);
  const notes = (): readonly string[] => (existsSync(note) ? readFileSync(note, "utf8").trim().split("\n") : []);
  await until(() => Number(notes()[0]) > 0, 30_000);
  const program = Number(notes()[0]);
  // Zero would be the process group of this measurement.
  if (!(program > 0)) throw new Error(`${launcher.name} has not started the program`);
  const end = endOf(child);
  await settled(child.pid ?? 0);
  child.kill(signal);
  const wasReached = (): boolean => notes().includes("reached");
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  await until(() => wasReached() || hasEnded(), PATIENCE_MS);
  await until(wasReached, hasEnded() ? NOTE_MS : 0);
  const isReached = wasReached();
  const outcome = await Promise.race([end, pause(isReached ? PATIENCE_MS : 0).then(() => undefined)]);
  for (const pid of [program, child.pid]) {
    try {
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
  await end;
  return { isReached, end: outcome };
}

/** The script is a file, since some launchers expand `$` in arguments. */
function started({ prefix, cwd, env }: Launcher, script: string, temporary: string): ChildProcess {
  const file = join(temporary, "script.sh");
  writeFileSync(file, script);
  const [command, ...args] = [...prefix, "sh", file];
  return spawn(command, args, { cwd, env: { ...env }, stdio: "ignore" });
}

async function endOf(child: ChildProcess): Promise<End> {
  // Sound: these are the arguments of this event.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const [status, signal] = (await once(child, "exit", { signal: AbortSignal.timeout(60_000) })) as [
    number | null,
    NodeJS.Signals | null,
  ];
  return signal ?? status ?? 0;
}

/** Waits until the processor time of a process stays the same. */
async function settled(pid: number): Promise<void> {
  let last = processorTimeOf(pid);
  let since = Date.now();
  await until(() => {
    const now = processorTimeOf(pid);
    if (now !== last) since = Date.now();
    last = now;
    return Date.now() - since > SETTLED_MS;
  }, PATIENCE_MS);
}

/** Waits for a state of a file, which has no event that covers its beginning. */
async function until(holds: () => boolean, limit: number): Promise<void> {
  const deadline = Date.now() + limit;
  while (!holds() && Date.now() < deadline) await pause(20);
}

/** A project that declares a value which is missing, and the launcher that starts a program in it. */
interface Refusal {
  readonly name: string;
  readonly how: string;
  readonly files: Readonly<Record<string, string>>;
  readonly prefix: readonly string[] | undefined;
}

/** Each launcher with its declaration of `API_KEY` and without the value. */
async function refusalTable(temporary: string): Promise<readonly (readonly string[])[]> {
  const node = nodeOf(24);
  const modules = join(installPeers(), "node_modules");
  const built = (name: string, ...args: readonly string[]) => {
    const path = join(cache, "built-peers/bin", name);
    return existsSync(path) ? [path, ...args] : undefined;
  };
  const dotenvx = [node, join(modules, "@dotenvx/dotenvx/src/cli/dotenvx.js"), "run", "--quiet", "--"];
  const all: readonly Refusal[] = [
    {
      name: "sophia-run",
      how: '`"required": true`',
      files: { "sophia.contract.json": '{ "variables": { "API_KEY": { "required": true } } }' },
      prefix: [node, join(root, "bin/sophia-run.cjs"), "--"],
    },
    {
      name: `dotenvx ${versionOf("dotenvx")}`,
      how: "`strict true` in its Envfile",
      files: { Envfile: 'strict true\nenv "API_KEY"\nenv "OTHER", encrypted: false\n' },
      prefix: dotenvx,
    },
    {
      name: `dotenvx ${versionOf("dotenvx")}`,
      how: "an Envfile without `strict true`",
      files: { Envfile: 'env "API_KEY"\nenv "OTHER", encrypted: false\n' },
      prefix: dotenvx,
    },
    {
      name: `varlock ${versionOf("varlock")}`,
      how: "`@required`",
      files: { ".env.schema": "# ---\n# @required\nAPI_KEY=\nOTHER=\n" },
      prefix: [node, join(modules, "varlock/bin/cli.js"), "run", "--"],
    },
    {
      name: `secretspec ${versionOf("secretspec")}`,
      how: "`required = true`",
      files: {
        "secretspec.toml": `[project]\nname = "refusal"\nrevision = "1.0"\n[profiles.default]\nAPI_KEY = { description = "a key", required = true }\n`,
      },
      prefix: built("secretspec", "run", "--provider", "dotenv", "--"),
    },
    {
      name: `fnox ${versionOf("fnox")}`,
      how: '`if_missing = "error"`',
      files: {
        "fnox.toml": `[providers.dotenv]\ntype = "plain"\nfile = ".env"\nformat = "env"\n[secrets]\nAPI_KEY = { provider = "dotenv", value = "API_KEY", if_missing = "error" }\n`,
      },
      prefix: built("fnox", "exec", "--"),
    },
  ];
  const rows = all.flatMap((refusal) =>
    refusal.prefix === undefined ? [] : [refusalRow(refusal, refusal.prefix, temporary)],
  );
  return [
    ...(await Promise.all(rows)),
    ...(await definitionRow(built("pulumi", "env", "run", "demo-org/app/faulty", "--"), temporary)),
  ];
}

async function refusalRow(
  { name, how, files }: Refusal,
  prefix: readonly string[],
  temporary: string,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const cwd = mkdtempSync(join(temporary, "refusal-"));
  for (const [file, text] of Object.entries({ ".env": "OTHER=1\n", ...files })) {
    writeFileSync(join(cwd, file), text, { mode: 0o600 });
  }
  const home = join(cwd, "home");
  mkdirSync(home);
  const [command = "", ...args] = prefix;
  const child = spawn(command, [...args, "touch", "started"], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: home, VARLOCK_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", ...env },
    stdio: "ignore",
  });
  const end = await endOf(child);
  return [name, how, existsSync(join(cwd, "started")) ? "**yes**" : "no", `${end}`];
}

/** ESC answers with diagnostics if a definition has an error, and if `fn::validate` fails. */
async function definitionRow(
  prefix: readonly string[] | undefined,
  temporary: string,
): Promise<readonly (readonly string[])[]> {
  if (prefix === undefined) return [];
  const server = await startEscServer();
  server.environment("demo-org/app/faulty", {
    definition: "values:\n  environmentVariables:\n    API_KEY: ${nothing}\n",
  });
  try {
    const env = {
      PULUMI_BACKEND_URL: server.url,
      PULUMI_ACCESS_TOKEN: server.token,
      PULUMI_HOME: join(temporary, "pulumi-faulty"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const refusal = { name: `pulumi ${versionOf("pulumi")}`, how: "a definition with an error", files: {}, prefix };
    return [await refusalRow(refusal, prefix, temporary, env)];
  } finally {
    await server.close();
  }
}

function document(
  rows: readonly (readonly string[])[],
  missing: readonly { readonly name: string; readonly missing: string }[],
  refusals: readonly (readonly string[])[],
): string {
  const not = missing.map(({ name, missing: why }) => `\`${name}\` (${why})`);
  return [
    wrap(
      `Measured on ${new Date().toISOString().slice(0, 10)}, with Node.js 24. The program is a shell, which ends with ` +
        `${STATUSES.join(", ")}, or kills itself by ${DEADLY.join(", ")}. The cells have the status of the launcher, or the signal ` +
        `that killed it. Then only the launcher gets a signal, which the program handles by ending with ${HANDLED}.`,
    ),
    table(
      [
        "launcher",
        `exit ${STATUSES.join(", ")}`,
        "killed by TERM, KILL",
        "signals that reach the program",
        "TERM handled",
      ],
      rows,
    ),
    wrap("A launcher without a declared value:"),
    table(["launcher", "declared by", "program started", "status"], refusals),
    ...(not.length === 0 ? [] : [wrap(`Not measured: ${not.join(", ")}.`)]),
  ].join("\n\n");
}

const temporary = mkdtempSync(join(tmpdir(), "sophia-run-statuses-"));
main(temporary)
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => rmSync(temporary, { recursive: true, force: true }));
