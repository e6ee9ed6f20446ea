import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificates } from "../../test/esc-server/tls.ts";
import { installPeers } from "../peers.ts";
import { BARE_ENVIRONMENT, nodeOf, root, standalone } from "../surroundings.ts";
import { type Side, start, startSide } from "./process.ts";

export const DIRECT = "direct";
const KEY = "sk-fake-000000000000000000000000000083f2";
const here = import.meta.dirname;

/** A command in front of the program, or none. */
export interface Launcher {
  readonly name: string;
  /** Words in front of the program with the broker, and without. */
  readonly prefix: readonly string[];
  readonly masked: readonly string[];
  /** The goals differ on Node.js 24. */
  readonly isNode24: boolean;
  /** Its figures are compared with no goal. */
  readonly isPeer: boolean;
}

export interface Setting {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Starts the program behind a launcher. */
  readonly side: (launcher: Pick<Launcher, "prefix">) => Side;
  readonly git: GitSetting;
  /** The connections that the service has. */
  readonly sockets: () => Promise<number>;
  readonly end: () => Promise<void>;
}

/** The same service as one of git and of GitHub's API. */
interface GitSetting {
  /** Starts the program behind a launcher, or without one. */
  readonly side: (launcher: Pick<Launcher, "prefix">) => Side;
  /** Makes an empty repository. @returns its URL */
  readonly empty: () => string;
  /** The URL of a repository of 100 MB, and a folder with the same. */
  readonly full: string;
  readonly folder: string;
}

/** Returns the launchers that there are here. */
export function launchers(versionOf: (node: string) => string): readonly Launcher[] {
  const entry = join(root, "bin/sophia-run.cjs");
  const of = (name: string, command: readonly string[], isNode24: boolean): Launcher => ({
    name,
    prefix: [...command, "--broker", "--"],
    masked: [...command, "--redact=always", "--"],
    isNode24,
    isPeer: false,
  });
  const executable = standalone();
  const varlock = join(installPeers(), "node_modules/varlock/bin/cli.js");
  const run = [nodeOf(24), varlock];
  return [
    ...[20, 24].map((major) => of(`Node.js ${versionOf(nodeOf(major))}`, [nodeOf(major), entry], major === 24)),
    ...(executable === undefined ? [] : [of("executable", [executable], false)]),
    {
      name: "varlock",
      prefix: [...run, "proxy", "run", "--"],
      masked: [...run, "run", "--"],
      isNode24: false,
      isPeer: true,
    },
  ];
}

/** Starts the service, with a certificate of a private authority that the launchers and the program trust. */
export async function place(temporary: string): Promise<Setting> {
  const cwd = join(temporary, "project");
  mkdirSync(cwd);
  // For varlock, which makes no dummy of a key without such a file.
  const schema = `# @proxyConfig={egress="permissive"}\n# ---\n# @sensitive @proxy(domain="127.0.0.1")\nOPENAI_API_KEY=\n`;
  writeFileSync(join(cwd, ".env.schema"), schema);
  writeFileSync(join(cwd, "sophia.contract.json"), JSON.stringify({ variables: { OPENAI_API_KEY: {} } }));
  const certificates = await makeCertificates();
  const { valid, caFile } = certificates;
  const files = [join(temporary, "certificate.pem"), join(temporary, "key.pem")] as const;
  writeFileSync(files[0], valid.cert);
  writeFileSync(files[1], valid.key, { mode: 0o600 });
  const node = nodeOf(24);
  const repositories = join(temporary, "repositories");
  mkdirSync(repositories);
  const service = start([node, join(here, "upstream.mts"), ...files, repositories], BARE_ENVIRONMENT, cwd);
  const host = `127.0.0.1:${String(await service.next())}`;
  const env = {
    ...BARE_ENVIRONMENT,
    HOME: temporary,
    OPENAI_API_KEY: KEY,
    OPENAI_BASE_URL: `https://${host}/v1`,
    NODE_EXTRA_CA_CERTS: caFile,
    VARLOCK_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
  };
  return {
    env,
    cwd,
    side: ({ prefix }) => startSide([...prefix, node, join(here, "client.mts")], env, cwd),
    git: placeOfGit(temporary, repositories, { host, caFile }),
    sockets: async () => {
      service.write("sockets");
      return Number(await service.next());
    },
    end: async () => {
      await service.end();
      await certificates.remove();
    },
  };
}

function placeOfGit(
  temporary: string,
  repositories: string,
  { host, caFile }: { readonly host: string; readonly caFile: string },
): GitSetting {
  const cwd = join(temporary, "git");
  const folder = join(temporary, "pushed");
  mkdirSync(cwd);
  mkdirSync(folder);
  const origin = `https://${host}`;
  const declaration = { broker: { upstream: origin } };
  writeFileSync(join(cwd, "sophia.contract.json"), JSON.stringify({ variables: { GITHUB_PAT: declaration } }));
  const git = (...args: readonly string[]): void =>
    void execFileSync("git", args, { cwd: folder, env: { ...BARE_ENVIRONMENT, HOME: temporary }, stdio: "pipe" });
  let count = 0;
  const empty = (): string => {
    const name = `${count++}.git`;
    const path = join(repositories, name);
    git("init", "--quiet", "--bare", "--initial-branch=main", path);
    git("-C", path, "config", "http.receivepack", "true");
    git("-C", path, "config", "pack.window", "0");
    return name;
  };
  git("init", "--quiet", "--initial-branch=main");
  // A search for similarities in random bytes takes longer than all else.
  git("config", "pack.window", "0");
  for (let index = 0; index < 10; index++) writeFileSync(join(folder, `${index}`), randomBytes(10_000_000));
  git("add", ".");
  git("-c", "user.name=A", "-c", "user.email=a@example.test", "commit", "--quiet", "-m", "100 MB");
  // Packed files are sent as they are, as those of a repository with a history.
  git("repack", "-a", "-d", "--quiet");
  const full = empty();
  git("push", "--quiet", join(repositories, full), "main");
  const env = {
    ...BARE_ENVIRONMENT,
    HOME: temporary,
    NODE_EXTRA_CA_CERTS: caFile,
    GIT_SSL_CAINFO: caFile,
    SSL_CERT_FILE: caFile,
    GIT_TERMINAL_PROMPT: "0",
    GH_HOST: host,
    GH_PROMPT_DISABLED: "1",
    OPENAI_BASE_URL: origin,
  };
  const credentials = Buffer.from(`x-access-token:${KEY}`).toString("base64");
  const direct = {
    GH_ENTERPRISE_TOKEN: KEY,
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.extraHeader",
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${credentials}`,
  };
  const brokered = { GITHUB_PAT: KEY, SOPHIA_BROKER_TO: origin };
  const client = [nodeOf(24), join(here, "client.mts")];
  return {
    side: ({ prefix }) =>
      startSide([...prefix, ...client], { ...env, ...(prefix.length === 0 ? direct : brokered) }, cwd),
    empty: () => `${origin}/${empty()}`,
    full: `${origin}/${full}`,
    folder,
  };
}
