/** Docker's command, and what the cases start by it. All of it has a label, by which the script removes it. */
import { spawn } from "node:child_process";
import { until } from "../report.ts";

const LABEL = process.env["PLACES_LABEL"] ?? "sophia-places";
/** Milliseconds after which a command is killed. */
const LIMIT = 600_000;

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. The ESC server is in this process, so it must not be blocked. */
export function run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT,
    killSignal: "SIGKILL",
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, ...output }));
  });
}

/** Runs a command of Docker that must succeed, and returns what it prints. */
export async function docker(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string> {
  const { status, stdout, stderr } = await run(["docker", ...args], env);
  if (status !== 0) throw new Error(`docker ${args.join(" ")}: status ${status}\n${stderr.slice(-4000)}`);
  return stdout.trim();
}

export interface Build {
  readonly tag: string;
  readonly folder: string;
  readonly file?: string;
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Builds an image, and returns what the builder has printed. */
export async function build({ tag, folder, file = "Dockerfile", options = [], env = {} }: Build): Promise<string> {
  const args = ["build", "--progress=plain", `--label=${LABEL}`, `--tag=${tag}`, `--file=${folder}/${file}`];
  const { status, stdout, stderr } = await run(["docker", ...args, ...options, folder], env);
  if (status !== 0) throw new Error(`the build of ${file}: status ${status}\n${stderr.slice(-4000)}`);
  return stdout + stderr;
}

export interface ContainerSpec {
  readonly image: string;
  /** The options of `docker run`. */
  readonly options?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Container {
  readonly name: string;
  readonly logs: () => Promise<Finished>;
  /** Waits until its output matches, and returns the match. */
  readonly seen: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** The value of one field, in the form of Docker's templates. */
  readonly field: (template: string) => Promise<string>;
  /** Waits for its end, and returns the exit status. */
  readonly end: () => Promise<number>;
  readonly exec: (...command: readonly string[]) => Promise<Finished>;
}

let count = 0;
const started: string[] = [];

function nameOf(): string {
  count += 1;
  const name = `${LABEL.replace("=", "-")}-${count}`;
  started.push(name);
  return name;
}

/** The command that starts a container, with a name of its own. */
export function runCommand({ image, options = [], command = [] }: ContainerSpec, how: readonly string[]) {
  const name = nameOf();
  return {
    name,
    command: ["docker", "run", ...how, `--label=${LABEL}`, `--name=${name}`, ...options, image, ...command],
  };
}

/** Starts a container in the background. */
export async function start(spec: ContainerSpec): Promise<Container> {
  const { name, command } = runCommand(spec, ["--detach"]);
  const [, ...args] = command;
  await docker(args, spec.env);
  return containerOf(name);
}

function containerOf(name: string): Container {
  const logs = () => run(["docker", "logs", name]);
  return {
    name,
    logs,
    async seen(pattern) {
      const ask = async () => {
        const { stdout, stderr } = await logs();
        return pattern.exec(`${stdout}${stderr}`) ?? `${stdout}${stderr}`;
      };
      const found = await until(`the output of ${String(pattern)}`, ask, (state) => typeof state !== "string");
      if (typeof found === "string") throw new Error("until returns what is reached");
      return found;
    },
    field: (template) => docker(["inspect", "--format", template, name]),
    end: async () => Number(await docker(["wait", name])),
    exec: (...command) => run(["docker", "exec", name, ...command]),
  };
}

/** Starts a container, and returns its exit status with all that it has written. */
export async function runToEnd(spec: ContainerSpec): Promise<Finished> {
  const container = await start(spec);
  const status = await container.end();
  return { ...(await container.logs()), status };
}

/** Removes the containers of a case. */
export async function removeContainers(): Promise<void> {
  const names = started.splice(0);
  if (names.length > 0) await run(["docker", "container", "rm", "--force", "--volumes", ...names]);
}
