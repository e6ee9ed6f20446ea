/** `npm run scale`: measures starts with many variables against the local ESC server; writes docs/measurements/scale.md. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { readValues } from "../../src/esc/api/values.ts";
import { page, table, wrap } from "../markdown.ts";
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
  writeFileSync(join(import.meta.dirname, "../../docs/measurements/scale.md"), text);
  process.stdout.write(text);
}

interface Row {
  readonly size: number;
  readonly answerBytes: number;
  /** Milliseconds to read the variables of an answer. */
  readonly valuesMs: number;
  /** Milliseconds of a whole start: `sophia-run -- true`. */
  readonly wallMs: number;
}

function values(size: number): Record<string, ValueSpec> {
  const text = "x".repeat(VALUE_LENGTH);
  return Object.fromEntries(
    Array.from({ length: size }, (_, index): [string, ValueSpec] => {
      // One in ten is a number whose digits must be kept, two in ten are secret.
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
  const head = ["variables", "answer", "values from the answer", "for each variable", "`sophia-run -- true`"];
  const cells = rows.map(({ size, answerBytes, valuesMs, wallMs }) => [
    String(size),
    `${(answerBytes / 1000).toFixed(0)} kB`,
    `${valuesMs.toFixed(2)} ms`,
    `${((valuesMs / size) * 1000).toFixed(1)} µs`,
    `${wallMs.toFixed(0)} ms`,
  ]);
  const text = wrap(
    `Values have ${VALUE_LENGTH} characters; a tenth of them are numbers whose digits are kept. Medians of ${RUNS} runs on ` +
      `Node.js ${process.versions.node} with ${cpus().length} processors. The answer holds each value several times ` +
      "(`exprs`, `schema`), and all of it is parsed. The last column is a whole start. It includes the time in which the " +
      "local ESC server evaluates and writes the answer.",
  );
  return page("Many variables", "npm run scale", `${text}\n\n${table(head, cells)}`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
