/** Builds the image of a Dockerfile without a container engine: runs its instructions in folders. */
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { parseInstructions } from "./container.ts";
import { folder } from "./sophia.ts";
import { startProcess } from "./start-process.ts";

/** A built image. Its paths are in a folder that stands for the root of the file system. */
export interface BuiltImage {
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  /** The words of ENTRYPOINT and CMD. */
  readonly command: readonly [string, ...string[]];
}

interface Stage {
  readonly name: string;
  readonly root: string;
  workdir: string;
  env: Record<string, string>;
}

/** The folder of base images into which Dockerfiles write commands. It is on the search path. */
const COMMANDS = "/usr/local/bin";
/** The names that .dockerignore keeps from the builder. */
const IGNORED = /^(?:\.env.*|\.git|node_modules)$/;

/**
 * Runs the instructions of a Dockerfile in folders, a folder for each stage.
 *
 * @param env the environment of its commands. Its PATH stands for the PATH of the base image
 */
export async function buildImage(
  dockerfile: string,
  context: string,
  env: Readonly<Record<string, string>>,
): Promise<BuiltImage> {
  const stages: Stage[] = [];
  let entrypoint: readonly string[] = [];
  let cmd: readonly string[] = [];
  for (const line of parseInstructions(readFileSync(dockerfile, "utf8"))) {
    const [, instruction = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (instruction === "FROM") {
      const [, name = ""] = / AS (\S+)$/.exec(rest) ?? [];
      const root = folder();
      mkdirSync(join(root, COMMANDS), { recursive: true });
      stages.push({ name, root, workdir: "/", env: { ...env, PATH: `${join(root, COMMANDS)}:${env["PATH"]}` } });
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`no FROM in front of ${line}`);
    const inside = (path: string): string => join(stage.root, path.startsWith("/") ? path : join(stage.workdir, path));
    switch (instruction) {
      case "WORKDIR":
        stage.workdir = rest;
        mkdirSync(inside(rest), { recursive: true });
        break;
      case "ENV":
        for (const word of rest.split(" ")) {
          const [, name = "", value = ""] = /^(\w+)=(.*)$/.exec(word) ?? [];
          stage.env[name] = value.replaceAll("/app/", `${stage.root}/app/`).replace("$PATH", stage.env["PATH"] ?? "");
        }
        break;
      case "COPY":
        await copyInto(rest, context, stages, inside);
        break;
      case "RUN": {
        const script = rest.replaceAll(` ${COMMANDS}/`, ` ${inside(COMMANDS)}/`);
        const done = await startProcess(["sh", "-ec", script], { cwd: inside("."), env: stage.env }).finished;
        if (done.status !== 0) throw new Error(`${rest}: status ${done.status}\n${done.stdout}${done.stderr}`);
        break;
      }
      case "ENTRYPOINT":
        entrypoint = wordsOf(rest);
        break;
      case "CMD":
        cmd = wordsOf(rest);
        break;
      case "FROM":
      case "USER":
        break;
      default:
        throw new Error(`unknown instruction: ${line}`);
    }
  }
  const last = stages.at(-1);
  const [first, ...words] = [...entrypoint, ...cmd];
  if (last === undefined || first === undefined) throw new Error("no image, or no command in it");
  const file = first.startsWith("/") ? join(last.root, first) : first;
  return { workdir: join(last.root, last.workdir), env: last.env, command: [file, ...words] };
}

/** Copies the files of a COPY instruction. The shell expands its wildcards. One that matches nothing is ignored. */
async function copyInto(
  words: string,
  context: string,
  stages: readonly Stage[],
  inside: (path: string) => string,
): Promise<void> {
  const [, from, rest = words] = /^--from=(\S+) (.*)$/.exec(words) ?? [];
  const stage = stages.find(({ name }) => name !== "" && name === from);
  // The tests' own Bun stands for the one in Bun's image.
  if (from !== undefined && stage === undefined) return;
  const paths = rest.split(" ");
  const target = inside(paths.pop() ?? "");
  const source = stage?.root ?? context;
  const found = await startProcess(
    [
      "sh",
      "-c",
      `for file in ${paths.map((path) => `.${join("/", path)}`).join(" ")}; do test ! -e "$file" || echo "$file"; done`,
    ],
    { cwd: source, env: { PATH: "/usr/bin:/bin" } },
  ).finished;
  const names = found.stdout.split("\n").filter((name) => name !== "");
  if (names.length === 0) throw new Error(`nothing to copy: ${words}`);
  for (const name of names) {
    const path = join(source, name);
    const isSent = (file: string): boolean =>
      stage !== undefined ||
      !relative(source, file)
        .split("/")
        .some((part) => IGNORED.test(part));
    const isFolder = paths.length === 1 && !/\*/.test(rest);
    cpSync(path, isFolder ? target : join(target, basename(path)), {
      recursive: true,
      filter: isSent,
      verbatimSymlinks: true,
    });
  }
}

function wordsOf(text: string): readonly string[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list) || !list.every((word) => typeof word === "string")) throw new Error(`no words: ${text}`);
  return list;
}
