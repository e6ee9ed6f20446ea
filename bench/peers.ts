import { execFileSync, spawnSync } from "node:child_process";
import { accessSync, constants, cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dopplerFallback } from "./doppler.ts";
import type { Case } from "./measure.ts";
import { cache, DOTENV_VALUES, type EscService } from "./surroundings.ts";

const manifest = join(import.meta.dirname, "peers");

/** A launcher that is not in a table, with the reason. */
export interface Missing {
  readonly name: string;
  readonly missing: string;
}

export interface Peers {
  /** Each starts `true`. */
  readonly cases: readonly Case[];
  readonly missing: readonly Missing[];
}

/** The surroundings in which the peers run. */
export interface PeerSetting {
  readonly node: string;
  readonly major: number;
  /** Working directory with the `.env` file. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Peers keep their logs and settings in it. */
  readonly temporary: string;
}

type Gives = readonly [name: string, value: string];

/** A launcher as a command prefix. */
interface Launcher {
  readonly name: string;
  readonly prefix: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A variable that its program has only if the launcher works. */
  readonly gives?: Gives;
}

/** Returns launchers from npm, of the system, and of bench/peers/fetch.sh. */
export async function peers(place: PeerSetting): Promise<Peers> {
  const { node, major, cwd, temporary } = place;
  const folder = installPeers();
  for (const name of ["fnox.toml", "secretspec.toml"]) cpSync(join(manifest, name), join(cwd, name));
  const home = { HOME: join(temporary, "home") };
  mkdirSync(home.HOME, { recursive: true });
  const gives = ["LOG_LEVEL", DOTENV_VALUES.LOG_LEVEL] as const;
  const script = (path: string): readonly string[] => [node, join(folder, "node_modules", path)];
  return tried(place, [
    { name: "dotenv-cli", prefix: [...script("dotenv-cli/cli.js"), "--"], gives },
    { name: "dotenv", prefix: [...script("dotenv/dist/cli.cjs"), "run", "--quiet", "--"], gives },
    { name: "cross-env", prefix: [...script("cross-env/dist/bin/cross-env.js"), "A=1"], gives: ["A", "1"] },
    { name: "env-cmd", prefix: [...script("env-cmd/bin/env-cmd.js"), "-f", ".env", "--"], gives },
    { name: "dotenvx", prefix: [...script("@dotenvx/dotenvx/src/cli/dotenvx.js"), "run", "--quiet", "--"], gives },
    major >= 22
      ? {
          name: "varlock",
          prefix: [...script("varlock/bin/cli.js"), "run", "--"],
          env: { VARLOCK_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
          gives,
        }
      : { name: "varlock", missing: "needs Node.js 22.3 or later" },
    native("direnv", ["exec", "."]),
    ...inits(),
    native("chamber", ["--backend", "null", "exec", "none", "--"]),
    await doppler(temporary, gives),
    native("fnox", ["exec", "--"], { env: home, gives }),
    native("secretspec", ["run", "--provider", "dotenv", "--"], { env: home, gives }),
  ]);
}

/** Returns those of the launchers that only start the program. */
export function initPeers(place: PeerSetting): readonly Case[] {
  return tried(place, inits()).cases;
}

function inits(): readonly (Launcher | Missing)[] {
  return ["tini", "dumb-init"].map((name) => native(name, ["--"]));
}

/** Returns the other launcher that reads an ESC environment. */
export function escPeers(place: PeerSetting, esc: EscService): Peers {
  const { PULUMI_BACKEND_URL, ESC_TOKEN, ESC_ENV } = esc.env;
  const env = {
    PULUMI_BACKEND_URL,
    PULUMI_ACCESS_TOKEN: ESC_TOKEN,
    PULUMI_HOME: join(place.temporary, "pulumi"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  const reading = { env, gives: ["OPENAI_API_KEY", DOTENV_VALUES.OPENAI_API_KEY] } as const;
  return tried(place, [native("pulumi", ["env", "run", ESC_ENV, "--"], reading)]);
}

/**
 * Returns curl's way to the same answers: it opens the environment twice on one connection, for sophia-run opens it and reads
 * it. It starts no program, and checks nothing.
 */
export function curlRequests({ cwd }: PeerSetting, { env }: EscService): readonly Case[] {
  const curl = native("curl", ["--silent", "--fail", "--request", "POST"]);
  if ("missing" in curl) return [];
  const { PULUMI_BACKEND_URL, ESC_TOKEN, ESC_ENV, SSL_CERT_FILE = "" } = env;
  const url = `${PULUMI_BACKEND_URL}/api/esc/environments/${ESC_ENV}/open?duration=2h`;
  const options = [
    "--cacert",
    SSL_CERT_FILE,
    ...[`Authorization: token ${ESC_TOKEN}`, "Accept: application/vnd.pulumi+8"].flatMap((one) => ["--header", one]),
  ];
  const opened = (one: string): readonly string[] => ["--output", "/dev/null", one];
  return [
    {
      name: "curl, two requests over TLS",
      argv: [...curl.prefix, ...options, ...opened(url), ...opened(url)],
      cwd,
      env: {},
    },
  ];
}

/** Prepares doppler, which reads its fallback file without its service. */
async function doppler(temporary: string, gives: Gives): Promise<Launcher | Missing> {
  const found = native("doppler", [], { gives });
  if ("missing" in found) return found;
  try {
    const args = await dopplerFallback(found.prefix, join(temporary, "doppler"));
    return { ...found, prefix: [...found.prefix, ...args] };
  } catch (error) {
    return { name: found.name, missing: `wrote no fallback file: ${errorLine(String(error))}` };
  }
}

/** Looks for a launcher on the PATH and among those that bench/peers/fetch.sh built. */
function native(name: string, args: readonly string[], more: Pick<Launcher, "env" | "gives"> = {}): Launcher | Missing {
  const path = [...(process.env["PATH"] ?? "").split(":"), join(cache, "built-peers/bin")]
    .map((folder) => join(folder, name))
    .find(isExecutable);
  return path === undefined ? { name, missing: "not installed here" } : { name, prefix: [path, ...args], ...more };
}

/** Keeps the launchers that start a program here and give it the expected variable. */
function tried({ cwd, env }: PeerSetting, launchers: readonly (Launcher | Missing)[]): Peers {
  const cases: Case[] = [];
  const missing: Missing[] = [];
  for (const launcher of launchers) {
    if ("missing" in launcher) {
      missing.push(launcher);
      continue;
    }
    const { name, prefix, gives } = launcher;
    const one: Case = { name, argv: [...prefix, "true"], cwd, env: { ...env, ...launcher.env } };
    const reason = refusal(one, [...prefix, ...(gives === undefined ? ["true"] : expecting(...gives))]);
    if (reason === undefined) cases.push(one);
    else missing.push({ name, missing: reason });
  }
  return { cases, missing };
}

function refusal({ cwd, env }: Case, [command = "", ...args]: readonly string[]): string | undefined {
  const { status, signal, stderr, error } = spawnSync(command, args, {
    cwd,
    env,
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    timeout: 60_000,
  });
  if (status === 0) return undefined;
  const said = errorLine(error?.message ?? stderr);
  return `installed, but ended with ${status ?? signal ?? "no status"}${said === "" ? "" : `: ${said}`}`;
}

/** Returns a command that exits with 0 if the variable has the value. Some launchers redact output. */
function expecting(name: string, value: string): readonly string[] {
  return ["sh", "-c", `test "$(printenv ${name})" = "${value}"`];
}

/** Returns the line of an output that describes the error. */
function errorLine(text: string): string {
  const lines = text.trim().split("\n");
  return lines.find((line) => /error/i.test(line)) ?? lines[0] ?? "";
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Installs the locked versions, once for each list of them. `npm ci` would require optional packages of other platforms in the lock
 * file.
 */
export function installPeers(): string {
  const folder = join(cache, "bench-peers");
  const isInstalled = existsSync(join(folder, "node_modules", ".package-lock.json"));
  const listIn = (place: string): string => readFileSync(join(place, "package.json"), "utf8");
  if (isInstalled && listIn(folder) === listIn(manifest)) return folder;
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) cpSync(join(manifest, name), join(folder, name));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], {
    cwd: folder,
    stdio: "inherit",
  });
  return folder;
}
