/**
 * A broker that the program under test has started, for example the stand-alone executable. Its contract has the tests'
 * routes.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Route } from "../../src/broker/route.ts";
import type { RequestRecord } from "../../src/broker/request-record.ts";
import { parseEnvironment, folder, sophiaRun } from "../helpers/sophia.ts";
import { REAL_KEYS, createRoutes } from "./routes.ts";

export interface BrokerProcess {
  readonly origin: string;
  readonly routes: readonly [openai: Route, anthropic: Route, search: Route];
  readonly records: readonly RequestRecord[];
}

/** Starts a program with the tests' routes, and reads from its environment where the broker is. */
export async function startBrokerProcess(origin: string): Promise<BrokerProcess> {
  const { environment, log } = await startWaitingProgram(variablesOf(createRoutes(origin)), REAL_KEYS);
  const [openai, anthropic, search] = createRoutes(origin);
  const withDummy = (route: Route): Route => ({ ...route, dummy: environment[route.name] ?? "" });
  return {
    origin: environment["OPENAI_API_KEY_BASE"] ?? "",
    routes: [withDummy(openai), withDummy(anthropic), withDummy(search)],
    get records() {
      return recordsIn(log);
    },
  };
}

export interface WaitingProgram {
  /** The environment of the started program. */
  readonly environment: Readonly<Record<string, string>>;
  /** The path of the file of `--audit-log`. */
  readonly log: string;
  /** The PID of sophia-run. */
  readonly launcher: number;
}

/**
 * Starts a program by `--broker` and a contract that the caller has named. The program waits until the test ends.
 *
 * @param variables of the contract
 *
 * @param env of the caller
 */
export async function startWaitingProgram(
  variables: Readonly<Record<string, object>>,
  env: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<WaitingProgram> {
  const cwd = folder({ "broker.contract.json": JSON.stringify({ variables }) });
  const log = join(cwd, "audit.jsonl");
  const own = ["--contract", "broker.contract.json", "--broker", "--audit-log", log, ...options];
  const [command, ...prefix] = sophiaRun;
  const child = spawn(command, [...prefix, ...own, "--", "sh", "-c", "env; echo; exec cat"], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: cwd, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  onTestFinished(async () => {
    child.stdin.destroy();
    await ended;
  });
  const text = await new Promise<string>((resolve, reject) => {
    let read = "";
    child.once("close", () => reject(new Error("the program did not start")));
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      read += chunk;
      if (read.endsWith("\n\n")) resolve(read);
    });
  });
  return { environment: parseEnvironment(text), log, launcher: child.pid ?? 0 };
}

function variablesOf(routes: readonly Route[]): Readonly<Record<string, object>> {
  return Object.fromEntries(
    routes.map(({ name, origin, slots, prefix, allow, deny }) => {
      const headers = slots.map(({ header, scheme }) => (scheme === undefined ? header : `${header}: ${scheme}`));
      const rules = {
        ...(allow.length > 0 && { allow: allow.map(({ text }) => text) }),
        ...(deny.length > 0 && { deny: deny.map(({ text }) => text) }),
      };
      const base = { [`${name}_BASE`]: "" };
      return [name, { broker: { upstream: origin, headers, base, ...(prefix !== "" && { prefix }), ...rules } }];
    }),
  );
}

function recordsIn(log: string): readonly RequestRecord[] {
  const lines = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
  return lines.flatMap((line) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sophia-run wrote it
    const record = JSON.parse(line) as RequestRecord &
      Readonly<Record<"event" | "version" | "time" | "run" | "pid", unknown>>;
    const { event, version: _version, time: _time, run: _run, pid: _pid, ...request } = record;
    return event === "request" ? [request] : [];
  });
}
