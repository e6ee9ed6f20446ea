/** `npm run scale`: measures what many variables cost, with the built entry and the local ESC server; writes docs/scale.md. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { readValues } from "../../src/esc/api/values.ts";
import { type EscServer, num, secret, startEscServer, type ValueSpec } from "../../test/esc-server/index.ts";

const ENTRY = join(import.meta.dirname, "../../bin/sophia-run");
const SIZES = [50, 500, 5000];
const RUNS = 15;
/** 5,000 values of this length are 1 MB. */
const VALUE_LENGTH = 200;

async function main(): Promise<void> {
  await using server = await startEscServer();
  for (const size of SIZES) server.environment(`demo-org/scale/n${size}`, { values: values(size) });
  const rows: Row[] = [];
  for (const size of SIZES) rows.push(await measure(server, size));
  const text = report(rows);
  writeFileSync(join(import.meta.dirname, "../../docs/scale.md"), text);
  process.stdout.write(text);
}

interface Row {
  readonly size: number;
  readonly answerBytes: number;
  /** Milliseconds to make variables of an answer. */
  readonly valuesMs: number;
  /** Milliseconds of the whole: `sophia-run -- true`. */
  readonly wallMs: number;
}

function values(size: number): Record<string, ValueSpec> {
  const text = "x".repeat(VALUE_LENGTH);
  return Object.fromEntries(
    Array.from({ length: size }, (_, index): [string, ValueSpec] => {
      // Of ten, one is a number whose digits must be kept and two are secret.
      if (index % 10 === 0) return [`NUMBER_${index}`, num(`${index}.0`)];
      return [`TEXT_${index}`, index % 5 === 1 ? secret(text) : text];
    }),
  );
}

async function measure(server: EscServer, size: number): Promise<Row> {
  const body = await answer(server, size);
  const name = { organization: "demo-org", project: "scale", name: `n${size}` };
  const valuesMs = median(
    await times(() => {
      // Sound: the server writes an object.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      readValues(JSON.parse(body) as Record<string, unknown>, body, name, "");
    }),
  );
  const wallMs = median(await times(() => run(server, size)));
  return { size, answerBytes: Buffer.byteLength(body), valuesMs, wallMs };
}

async function answer(server: EscServer, size: number): Promise<string> {
  const url = `${server.url}/api/esc/environments/demo-org/scale/n${size}/open`;
  const headers = {
    Authorization: `token ${server.token}`,
    Accept: "application/vnd.pulumi+8",
    "User-Agent": "sophia-run-scale",
  };
  const opened: unknown = await (await fetch(url, { method: "POST", headers })).json();
  if (typeof opened !== "object" || opened === null || !("id" in opened)) throw new Error("not opened");
  return (await fetch(`${url}/${String(opened.id)}`, { headers })).text();
}

async function run(server: EscServer, size: number): Promise<void> {
  const child = spawn(process.execPath, [ENTRY, "--no-contract", "--", "true"], {
    stdio: "inherit",
    env: {
      PATH: process.env["PATH"],
      ESC_ENV: `demo-org/scale/n${size}`,
      ESC_TOKEN: server.token,
      PULUMI_BACKEND_URL: server.url,
    },
  });
  const [status]: unknown[] = await once(child, "exit");
  if (status !== 0) throw new Error(`sophia-run ended with ${String(status)}`);
}

async function times(act: () => void | Promise<void>): Promise<number[]> {
  await act();
  const measured: number[] = [];
  for (let count = 0; count < RUNS; count += 1) {
    const started = performance.now();
    await act();
    measured.push(performance.now() - started);
  }
  return measured;
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
}

function report(rows: readonly Row[]): string {
  const table = [
    ["variables", "answer", "values from the answer", "for each variable", "`sophia-run -- true`"],
    ...rows.map(({ size, answerBytes, valuesMs, wallMs }) => [
      String(size),
      `${(answerBytes / 1000).toFixed(0)} kB`,
      `${valuesMs.toFixed(2)} ms`,
      `${((valuesMs / size) * 1000).toFixed(1)} µs`,
      `${wallMs.toFixed(0)} ms`,
    ]),
  ];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = table;
  const shown = [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
  return `# Many variables

Written by \`npm run scale\`: values of ${VALUE_LENGTH} characters (5,000 are 1 MB), a tenth of them numbers whose digits are kept. Medians of
${RUNS} runs on Node.js ${process.versions.node} with ${cpus().length} processors. The answer holds each value several times over (\`exprs\`, \`schema\`), all of which
is parsed. The last column is the whole, and the time in which the local ESC server evaluates and writes the answer is in it.

${shown}
`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
