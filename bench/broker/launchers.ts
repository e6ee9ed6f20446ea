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
  /** The connections that the service has. */
  readonly sockets: () => Promise<number>;
  readonly end: () => Promise<void>;
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
  const service = start([node, join(here, "upstream.mts"), ...files], BARE_ENVIRONMENT, cwd);
  const env = {
    ...BARE_ENVIRONMENT,
    HOME: temporary,
    OPENAI_API_KEY: KEY,
    OPENAI_BASE_URL: `https://127.0.0.1:${String(await service.next())}/v1`,
    NODE_EXTRA_CA_CERTS: caFile,
    VARLOCK_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
  };
  return {
    env,
    cwd,
    side: ({ prefix }) => startSide([...prefix, node, join(here, "client.mts")], env, cwd),
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
