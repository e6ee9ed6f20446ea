/**
 * `npx tsx bench/leaks.ts`: compares the masking of sophia-run and others in docs/measurements/masking.md. Each probe is a
 * program that prints a secret in one way.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage } from "../test/helpers/build.ts";
import { installPeers } from "./peers.ts";
import { publish, table as markdownTable, wrap } from "../scripts/markdown.ts";
import { BARE_ENVIRONMENT, nodeOf, root } from "./surroundings.ts";

buildPackage();

const DOCUMENT = join(root, "docs/measurements/masking.md");

const TOKEN = "hush-9f8e7d6c-5b4a-hush";
const PASSWORD = 'p/7"w\\z&9 f5e4d3c2b1';
const LINES = ["MIIEowIBAAKCAQEAx9f8e7d6c5b4a", "Qm9vZ2llIG5pZ2h0cyBhcmUgbG9uZw"] as const;
const KEY = ["-----BEGIN PRIVATE KEY-----", ...LINES, "-----END PRIVATE KEY-----"].join("\n");
const BYTES = Buffer.from([...Array.from({ length: 256 }, (_, byte) => byte), 0xc3, 0x28, 0xff, 0xfe]);

/** The source of a program, and the verdict on its output. */
interface Probe {
  readonly name: string;
  readonly source: string;
  readonly isTerminal?: boolean;
  readonly verdict: (output: Buffer) => string;
}

const LEAKS = "**leaks**";
const hides = (...texts: readonly string[]) => {
  return (output: Buffer): string => {
    if (!output.includes("end")) return "**prints nothing**";
    return texts.some((text) => output.includes(text)) ? LEAKS : "masked";
  };
};
const keeps = (bytes: Buffer | string) => (output: Buffer) => (output.includes(bytes) ? "unchanged" : "**changed**");
const write = (expression: string): string => `process.stdout.write(${expression} + " end\\n");`;
const after = (first: string, ms: number, second: string): string =>
  `process.stdout.write(${first}); setTimeout(() => process.stdout.write(${second}), ${ms});`;

const PROBES: readonly Probe[] = [
  { name: "the value", source: write("process.env.TOKEN"), verdict: hides(TOKEN) },
  { name: "a key, whole", source: write("process.env.KEY"), verdict: hides(...LINES) },
  { name: "one line of a key (PEM)", source: write('process.env.KEY.split("\\n")[1]'), verdict: hides(LINES[0]) },
  {
    name: "escaped in JSON",
    source: write("JSON.stringify({ password: process.env.PASSWORD })"),
    verdict: hides(JSON.stringify(PASSWORD).slice(1, -1)),
  },
  {
    name: "in a URL",
    source: write("encodeURIComponent(process.env.PASSWORD)"),
    verdict: hides(encodeURIComponent(PASSWORD)),
  },
  {
    name: "base64 of `user:value`",
    source: write('Buffer.from("user:" + process.env.TOKEN).toString("base64")'),
    verdict: hides(Buffer.from(`user:${TOKEN}`).toString("base64").slice(8, -4)),
  },
  {
    name: "in two writes, 300 ms apart",
    source: after("process.env.TOKEN.slice(0, 9)", 300, 'process.env.TOKEN.slice(9) + " end"'),
    verdict: hides(TOKEN),
  },
  {
    name: "bytes that are not UTF-8",
    source: `process.stdout.write(Buffer.from("${BYTES.toString("base64")}", "base64"));`,
    verdict: keeps(BYTES),
  },
  {
    name: "a letter of UTF-8 in two writes",
    source: after("Buffer.of(0x3c, 0xc3)", 200, "Buffer.of(0xa9, 0x3e)"),
    verdict: keeps("<é>"),
  },
  {
    name: "on a terminal: the program has one",
    source: 'console.log("<" + process.stdout.isTTY + process.stdin.isTTY + ">");',
    isTerminal: true,
    verdict: (output) => (output.includes("<truetrue>") ? "yes" : "**no**"),
  },
  {
    name: "on a terminal: the value",
    source: write("process.env.TOKEN"),
    isTerminal: true,
    verdict: hides(TOKEN),
  },
];

/** Runs its arguments on a pseudo-terminal, and passes their output on. */
const ON_TERMINAL = `import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)`;

interface Tool {
  readonly name: string;
  readonly prefix: readonly string[];
}

main(mkdtempSync(join(tmpdir(), "sophia-run-leaks-")));

function main(folder: string): void {
  try {
    publish(DOCUMENT, "npx tsx bench/leaks.ts", table(folder, tools()));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Uses Node.js 24, since varlock needs a newer one than 20. */
function tools(): readonly Tool[] {
  const modules = join(installPeers(), "node_modules");
  const node = nodeOf(24);
  const version = (name: string): string => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm wrote it
    const { version: text } = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")) as {
      readonly version: string;
    };
    return text;
  };
  return [
    { name: "`sophia-run --redact`", prefix: [node, join(root, "bin/sophia-run.cjs"), "--redact", "--"] },
    {
      name: `\`dotenvx run --redact\` ${version("@dotenvx/dotenvx")}`,
      prefix: [node, join(modules, "@dotenvx/dotenvx/src/cli/dotenvx.js"), "run", "--quiet", "--redact", "--"],
    },
    { name: `\`varlock run\` ${version("varlock")}`, prefix: [node, join(modules, "varlock/bin/cli.js"), "run", "--"] },
  ];
}

function table(folder: string, compared: readonly Tool[]): string {
  prepare(folder);
  const rows = PROBES.map((probe) => [probe.name, ...compared.map((tool) => verdictOf(probe, tool, folder))]);
  const others = ["op run", "infisical run", "doppler run"].filter((name) => !isInstalled(name.split(" ")[0] ?? ""));
  return [
    wrap(
      "In each row a program prints a secret in one way, into a pipe if the row does not name a terminal. The secrets " +
        "come from a `.env` file.",
    ),
    markdownTable(["output", ...compared.map(({ name }) => name)], rows),
    ...(others.length === 0 ? [] : [`Not installed here: ${others.map((name) => `\`${name}\``).join(", ")}.`]),
  ].join("\n\n");
}

function prepare(folder: string): void {
  mkdirSync(join(folder, "home"));
  const names = ["TOKEN", "PASSWORD", "KEY"];
  const contract = { variables: Object.fromEntries(names.map((name) => [name, {}])) };
  writeFileSync(join(folder, "sophia.contract.json"), JSON.stringify(contract));
  writeFileSync(join(folder, ".env.schema"), `# ---\n${names.map((name) => `# @sensitive\n${name}=\n`).join("")}`);
  writeFileSync(join(folder, ".env"), `TOKEN=${TOKEN}\nPASSWORD='${PASSWORD}'\nKEY="${KEY}"\n`, { mode: 0o600 });
}

function verdictOf({ name, source, isTerminal, verdict }: Probe, { prefix }: Tool, folder: string): string {
  writeFileSync(join(folder, "probe.cjs"), source);
  const words = [...prefix, process.execPath, "probe.cjs"];
  const [command = "", ...args] = isTerminal === true ? ["python3", "-c", ON_TERMINAL, ...words] : words;
  const { stdout, error } = spawnSync(command, args, {
    cwd: folder,
    env: { ...BARE_ENVIRONMENT, PATH: process.env["PATH"], HOME: join(folder, "home"), TERM: "xterm" },
    // An end of the input would be typed on a terminal.
    stdio: [isTerminal === true ? "pipe" : "ignore", "pipe", "ignore"],
    input: "",
    timeout: 60_000,
  });
  if (error !== undefined) throw new Error(`${name}: ${error.message}`);
  return verdict(stdout);
}

function isInstalled(command: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
