/** Runs the steps of a job in real processes, with as much of GitHub's runner as the workflows of the examples need. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { memberAt, recordAt } from "../json-members.ts";
import { cleanPath } from "../pack.ts";
import { folder } from "../sophia.ts";
import { startProcess } from "../start-process.ts";
import { linesOf } from "./command.ts";
import { isBlocked, readPairs } from "./files.ts";
import { Log } from "./log.ts";

/** A runner of one job. Each call of `action` and `run` is a step. */
export interface Runner {
  readonly log: Log;
  /** The variables that steps have set for later steps by GITHUB_ENV. */
  readonly environment: Map<string, string>;
  /** The outputs of steps by the identifiers of the steps. */
  readonly outputs: Map<string, ReadonlyMap<string, string>>;
  readonly summary: () => string;
  /** Returns all that the steps have written, without the commands that mask. */
  readonly written: () => string;
  /** Runs the action. @returns its status */
  readonly action: (
    inputs?: Readonly<Record<string, string>>,
    env?: Readonly<Record<string, string>>,
    id?: string,
  ) => Promise<number | null>;
  /** Runs a script of the shell. @returns its status */
  readonly run: (script: string, env?: Readonly<Record<string, string>>, path?: string) => Promise<number | null>;
}

export interface RunnerOptions {
  /** The path of `action.yml`. Its folder has the code of the action. */
  readonly action: string;
  readonly node?: string;
  /** The files of the repository. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** The variables of the whole job. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Creates a runner for one job. */
export function startRunner({
  action,
  node = process.execPath,
  files = {},
  env: jobEnvironment = {},
}: RunnerOptions): Runner {
  const workspace = folder(files);
  const temp = folder();
  const manifest: unknown = parse(readFileSync(action, "utf8"));
  const log = new Log();
  const environment = new Map<string, string>();
  const outputs = new Map<string, ReadonlyMap<string, string>>();
  let summary = "";
  let written = "";
  let steps = 0;

  return {
    log,
    environment,
    outputs,
    summary: () => summary,
    written: () => written,
    action: (inputs = {}, env = {}, id = "action") => {
      const { using, main } = recordAt(manifest, "runs");
      if (using !== "node24" || typeof main !== "string") throw new Error("the action is not for Node.js 24");
      const inputVariables = Object.entries(recordAt(manifest, "inputs")).map(([name, input]) => {
        const preset = memberAt(input, "default");
        return [`INPUT_${name.toUpperCase()}`, inputs[name] ?? (typeof preset === "string" ? preset : "")] as const;
      });
      return step([node, join(dirname(action), main)], { ...env, ...Object.fromEntries(inputVariables) }, id);
    },
    run: (script, env = {}, path = cleanPath) =>
      step(["bash", "-e", "-o", "pipefail", "-c", script], { PATH: path, ...env }, "run"),
  };

  async function step(
    command: readonly [string, ...string[]],
    env: Readonly<Record<string, string>>,
    id: string,
  ): Promise<number | null> {
    const commands = join(temp, String(steps++));
    mkdirSync(commands);
    const file = (name: string): string => join(commands, name);
    for (const name of ["env", "output", "summary"]) writeFileSync(file(name), "");
    const ended = await startProcess(command, {
      cwd: workspace,
      env: {
        PATH: cleanPath,
        HOME: temp,
        CI: "true",
        ...jobEnvironment,
        ...Object.fromEntries(environment),
        ...env,
        GITHUB_ACTIONS: "true",
        GITHUB_WORKSPACE: workspace,
        GITHUB_SHA: "0".repeat(40),
        GITHUB_ENV: file("env"),
        GITHUB_OUTPUT: file("output"),
        GITHUB_STEP_SUMMARY: file("summary"),
      },
    }).finished;
    const lines = linesOf(`${ended.stdout}${ended.stderr}`);
    for (const line of lines) if (line !== "") log.read(line);
    written += lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    for (const [name, value] of readPairs(readFileSync(file("env"), "utf8"))) {
      if (isBlocked(name)) throw new Error(`the runner refuses ${name} in GITHUB_ENV`);
      environment.set(name, value);
    }
    outputs.set(id, readPairs(readFileSync(file("output"), "utf8")));
    summary += readFileSync(file("summary"), "utf8");
    return ended.status;
  }
}
