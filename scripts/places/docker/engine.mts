/** Docker's command, and what the cases start by it. All of it has a label, by which the script removes it. */
import { type Finished, run, succeed } from "../processes.ts";
import { until } from "../report.ts";

export const LABEL: string = process.env["PLACES_LABEL"] ?? "sophia-places";
/** The beginning of names. */
export const PREFIX: string = LABEL.replace("=", "-");

/** Runs a command of Docker that must succeed, and returns what it prints. */
export function docker(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string> {
  return succeed(["docker", ...args], env);
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
  const name = `${PREFIX}-${count}`;
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
