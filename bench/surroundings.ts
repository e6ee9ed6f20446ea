import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { packageManagerEnvironment, availableClients } from "../test/helpers/package-managers.ts";
import { packPackage } from "../test/helpers/pack.ts";
import type { Case } from "./measure.ts";

export const root = join(import.meta.dirname, "..");
export const cache = join(root, ".cache");

/** Values that meet the Sophia contract together with {@link DOTENV_VALUES}. */
export const CONTRACT_VALUES = {
  PULUMI_ACCESS_TOKEN: "pul-0000fake0000fake0000fake0000fake00009f3c",
  QDRANT_URL: "https://qdrant.example.test:6333",
  QDRANT_API_KEY: "fake-qdrant-api-key-7d21",
  GITHUB_PAT: "ghp_fake-00000000000000000000000001d07",
} as const;

/** Values of the `.env` file; the contract requires one key of a model. */
export const DOTENV_VALUES = {
  OPENAI_API_KEY: "sk-fake-000000000000000000000000000083f2",
  LOG_LEVEL: "info",
} as const;

/** The environment of every measured process. Without HOME nothing is stored between starts. */
export const BARE_ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/nonexistent" } as const;

/** Makes a working directory with a `.env` file. No contract file is in a folder above. */
export function workingDirectory(temporary: string): string {
  const folder = join(temporary, "project");
  mkdirSync(folder, { recursive: true });
  const lines = Object.entries(DOTENV_VALUES).map(([name, value]) => `${name}=${value}\n`);
  // sophia-run warns of a world-readable file.
  writeFileSync(join(folder, ".env"), lines.join(""), { mode: 0o600 });
  return folder;
}

/** Returns the Node.js of a major version: the running one, or npm's. */
export function nodeOf(major: number): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const script = join(root, "test/conformance/fetch-node.sh");
  return execFileSync("sh", [script, String(major)], { encoding: "utf8" }).trim();
}

/** Packs the package, and installs it by each package manager into a project of its own. */
export async function installations(temporary: string): Promise<readonly Installed[]> {
  const home = join(temporary, "home");
  mkdirSync(home);
  const packed = await packPackage(home);
  const all = availableClients().filter(({ files }) => !(files[".yarnrc.yml"] ?? "").includes("pnp"));
  return all.map(({ name, files, command: [command, ...words], add }) => {
    const project = join(temporary, name);
    mkdirSync(project);
    for (const [file, content] of Object.entries({ "package.json": "{}", ...files })) {
      writeFileSync(join(project, file), content);
    }
    cpSync(packed, join(project, basename(packed)));
    execFileSync(command, [...words, ...add(basename(packed))], {
      cwd: project,
      env: packageManagerEnvironment(home),
      stdio: ["ignore", "ignore", "inherit"],
    });
    const modules = join(project, "node_modules");
    const folder = join(modules, "sophia-run");
    const addon = join(folder, "dist", `${process.platform}-${process.arch}.node`);
    return {
      by: name,
      entry: join(folder, "bin/sophia-run.cjs"),
      addon: existsSync(addon) ? addon : undefined,
      packedBytes: statSync(packed).size,
      packages: readdirSync(modules).filter((one) => !one.startsWith(".")),
      installed: sizeOf(folder),
    };
  });
}

export interface Installed {
  /** The package manager. */
  readonly by: string;
  readonly entry: string;
  /** Path of the addon, if the package has one for this machine. */
  readonly addon: string | undefined;
  readonly packedBytes: number;
  readonly packages: readonly string[];
  readonly installed: { readonly bytes: number; readonly files: number };
}

/** Returns the size without the executables, of which a start by Node.js reads nothing. */
function sizeOf(folder: string): { readonly bytes: number; readonly files: number } {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  const read = paths.filter((path) => !basename(path).startsWith("sophia-run-linux-"));
  const files = read.map((path) => statSync(path)).filter((stat) => stat.isFile());
  return { bytes: files.reduce((sum, { size }) => sum + size, 0), files: files.length };
}

/** Returns the executable of `npm run build:standalone` for this machine, if it exists. */
export function standalone(): string | undefined {
  const path = join(root, "dist-standalone", `sophia-run-${process.platform}-${process.arch}`);
  return existsSync(path) ? path : undefined;
}

export interface EscService {
  readonly env: Readonly<Record<"PULUMI_BACKEND_URL" | "ESC_TOKEN" | "ESC_ENV", string>> & {
    readonly SSL_CERT_FILE?: string;
  };
  /** Returns the requests since the last call. */
  readonly count: () => Promise<{ readonly requests: number; readonly connections: number }>;
  readonly close: () => void;
}

/** Starts the tests' ESC server in a process of its own. `--tls`: with a certificate of a private authority. */
export async function escService(...options: readonly "--tls"[]): Promise<EscService> {
  const tsx = join(root, "node_modules/tsx/dist/cli.mjs");
  const server = spawn(process.execPath, [tsx, join(root, "bench/esc-server.ts"), ...options], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? "null");
  // Sound: bench/esc-server.ts prints this line first.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const { url, token, environment, authority } = (await next()) as Record<"url" | "token" | "environment", string> & {
    readonly authority?: string;
  };
  return {
    env: {
      PULUMI_BACKEND_URL: url,
      ESC_TOKEN: token,
      ESC_ENV: environment,
      ...(authority === undefined ? {} : { SSL_CERT_FILE: authority }),
    },
    count: async () => {
      server.stdin.write("\n");
      // Sound: bench/esc-server.ts answers each line so.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      return (await next()) as { readonly requests: number; readonly connections: number };
    },
    close: () => void server.stdin.end(),
  };
}

/** Returns the case with a number of variables in its environment and of rules in its contract. */
export function scaled(base: Case, variables: number, rules: number, temporary: string): Case {
  const folder = join(temporary, `scaled-${variables}-${rules}`);
  mkdirSync(folder, { recursive: true });
  const names = Array.from({ length: variables }, (_, index) => `VARIABLE_${index}`);
  const declared = names.slice(0, Math.ceil(rules / 2)).map((name) => [name, { required: true }]);
  const groups = Array.from({ length: Math.floor(rules / 2) }, (_, index) => [
    `group-${index}`,
    { rule: "at-least-one", variables: [names[index % declared.length]] },
  ]);
  const contract = { variables: Object.fromEntries(declared), groups: Object.fromEntries(groups) };
  writeFileSync(join(folder, "sophia.contract.json"), JSON.stringify(contract));
  const env = Object.fromEntries(names.map((name, index) => [name, `value-${index}`]));
  return { ...base, cwd: folder, env: { ...BARE_ENVIRONMENT, HOME: base.env["HOME"] ?? "", ...env } };
}
