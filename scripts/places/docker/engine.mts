/** The engine's command, and what the cases start by it. All of it has a label, by which the script removes it. */
import { BASE_IMAGES } from "../base-images.ts";
import { type Finished, run, succeed } from "../processes.ts";
import { until } from "../report.ts";
import { ENGINE } from "./differences.mts";

export const LABEL: string = process.env["PLACES_LABEL"] ?? "sophia-places";
/** The beginning of names. */
export const PREFIX: string = LABEL.replace("=", "-");

/** Runs a command of the engine that must succeed, and returns what it prints. */
export function engine(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string> {
  return succeed([ENGINE.name, ...args], env);
}

export async function loadBaseImages(): Promise<void> {
  for (const archive of BASE_IMAGES) await engine(["load", "--quiet", "--input", archive]);
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
  const named = [`--label=${LABEL}`, `--tag=${tag}`, `--file=${folder}/${file}`];
  const args = ["build", ...ENGINE.build, ...ENGINE.network, ...named, ...options];
  const { status, stdout, stderr } = await run([ENGINE.name, ...args, folder], env);
  if (status !== 0) throw new Error(`the build of ${file}: status ${status}\n${stderr.slice(-4000)}`);
  return stdout + stderr;
}

export interface ContainerSpec {
  readonly image: string;
  /** The options of `run`. */
  readonly options?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Container {
  readonly name: string;
  readonly logs: () => Promise<Finished>;
  /** Waits until its output matches, and returns the match. */
  readonly seen: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** The value of one field, in the form of the engine's templates. */
  readonly field: (template: string) => Promise<string>;
  /** Waits for its end, and returns the exit status. */
  readonly end: () => Promise<number>;
  readonly exec: (...command: readonly string[]) => Promise<Finished>;
}

let count = 0;
const started: string[] = [];

function nameOf(): string {
  count += 1;
  const name = `${PREFIX}-${count}`;
  started.push(name);
  return name;
}

/** The command that starts a container, with a name of its own. */
export function runCommand({ image, options = [], command = [] }: ContainerSpec, how: readonly string[]) {
  const name = nameOf();
  const args = [...how, ...ENGINE.network, `--label=${LABEL}`, `--name=${name}`, ...options, image, ...command];
  return { name, command: [ENGINE.name, "run", ...args] };
}

/** Starts a container in the background. */
export async function start(spec: ContainerSpec): Promise<Container> {
  const { name, command } = runCommand(spec, ["--detach"]);
  const [, ...args] = command;
  await engine(args, spec.env);
  return containerOf(name);
}

function containerOf(name: string): Container {
  const logs = () => run([ENGINE.name, "logs", name]);
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
    field: (template) => engine(["inspect", "--format", template, name]),
    end: async () => Number(await engine(["wait", name])),
    exec: (...command) => run([ENGINE.name, "exec", name, ...command]),
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
  if (names.length === 0) return;
  await run([ENGINE.name, "container", "rm", "--force", "--volumes", ...ENGINE.removal, ...names]);
}
