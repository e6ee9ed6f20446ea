/**
 * Starts the broker in a process of the program under test, for example the stand-alone executable. Most tests start it in their
 * own process instead (upstream.ts). The processes end with the test.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Route } from "../../src/broker/route.ts";
import type { RequestRecord } from "../../src/broker/request-record.ts";
import { parseEnvironment, folder, sophiaRun } from "../helpers/sophia.ts";
import { REAL_KEYS, createRoutes } from "./routes.ts";

/** A broker with the three routes of routes.ts, and what it has recorded so far. */
export interface BrokerProcess {
  readonly origin: string;
  readonly routes: readonly [openai: Route, anthropic: Route, search: Route];
  readonly records: readonly RequestRecord[];
}

/**
 * Starts a program with the routes of routes.ts. Its environment names the address of the broker and the dummies.
 *
 * @param origin of the service
 */
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

/** A program that sophia-run has started with `--broker`. */
export interface WaitingProgram {
  /** The environment of the started program. */
  readonly environment: Readonly<Record<string, string>>;
  /** The path of the file of `--audit-log`. */
  readonly log: string;
  /** The PID of sophia-run. */
  readonly launcher: number;
}

/**
 * Starts a program by `sophia-run --contract … --broker`. The program waits until the test ends.
 *
 * @param variables the variables of the contract
 * @param env the caller's environment, with the real keys
 */
export async function startWaitingProgram(
  variables: Readonly<Record<string, object>>,
  env: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<WaitingProgram> {
  const cwd = folder({ "broker.contract.json": JSON.stringify({ variables }) });
  const log = join(cwd, "audit.jsonl");
  const launcherOptions = ["--contract", "broker.contract.json", "--broker", "--audit-log", log, ...options];
  const [command, ...prefix] = sophiaRun;
  const child = spawn(command, [...prefix, ...launcherOptions, "--", "sh", "-c", "env; echo; exec cat"], {
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
    let output = "";
    child.once("close", () => reject(new Error("the program did not start")));
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (output.endsWith("\n\n")) resolve(output);
    });
  });
  return { environment: parseEnvironment(text), log, launcher: child.pid ?? 0 };
}

/** Returns the declarations of a contract from which sophia-run makes these routes. */
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

/** Reads the records of requests from an audit log, without the members that all records have. */
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
