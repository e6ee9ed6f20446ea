import { shellQuoted, shellWord } from "../../core/shell.ts";
import { NODE_PACKAGE } from "../parts/package-source.ts";
import { enumerate, withoutMark } from "../../core/text.ts";
import { type ScriptChange, withScripts } from "./manifest-edits.ts";
import type { SetupStep } from "./setup-step.ts";

export type Manifest = Readonly<Record<string, unknown>>;

/** @returns undefined for a text that is not a JSON object */
export function parseManifest(text: string): Manifest | undefined {
  try {
    return objectOf(JSON.parse(withoutMark(text)));
  } catch {
    return undefined;
  }
}

export function objectOf(value: unknown): Manifest | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}

export function dependenciesIn(manifest: Manifest, ...groups: readonly string[]): ReadonlyMap<string, unknown> {
  return new Map(groups.flatMap((group) => Object.entries(objectOf(manifest[group]) ?? {})));
}

export function hasDependency(manifest: Manifest): boolean {
  return dependenciesIn(manifest, "dependencies", "devDependencies").has("sophia-run");
}

export function scriptOf(manifest: Manifest, name: string): string | undefined {
  const command = objectOf(manifest["scripts"])?.[name];
  return typeof command === "string" ? command : undefined;
}

/** Usual names of a program, in the order in which they are tried. */
export const PROGRAMS = ["server.js", "index.js", "app.js", "main.js"];
const STARTING = ["start", "dev", "serve"];
const PREFIX = "sophia-run -- ";
const FILE = "package.json";
const ABOUT_EXEC = "exec: otherwise the shell of the script keeps SIGTERM from the program; cmd of Windows has no exec";

export interface PackageOptions {
  readonly add: readonly string[];
  readonly edit: boolean;
  readonly isThere: (file: string) => boolean;
  /** An image or a supervisor starts npm, which must pass signals on. */
  readonly startsByNpm: boolean;
  /** The root of the workspace depends on sophia-run, so that each package finds it. */
  readonly isInRoot: boolean;
}

export function packageSteps(text: string | undefined, options: PackageOptions): readonly SetupStep[] {
  if (text === undefined) return unedited("there is none", options);
  const manifest = parseManifest(text);
  if (manifest === undefined) {
    return [{ kind: "advise", file: FILE, title: "scripts cannot be read (not a JSON object)", lines: [] }];
  }
  return [...dependencySteps(manifest, options), ...scriptSteps(text, manifest, options)];
}

/** Answers an `--edit-scripts` that has nothing to edit. */
function unedited(reason: string, { edit }: Pick<PackageOptions, "edit">): readonly SetupStep[] {
  return edit ? [{ kind: "advise", file: FILE, title: `not changed because ${reason}`, lines: [] }] : [];
}

/** Returns true if a Dockerfile or a Procfile starts a package manager. */
export function startsNpm(...texts: readonly (string | undefined)[]): boolean {
  const starts = /^[ \t]*(?:ENTRYPOINT|CMD|[\w-]+:)(?:[ \t]*\[)?[ \t"']*(?:npm|pnpm|yarn|bun)\b/im;
  return texts.some((text) => text !== undefined && starts.test(text));
}

/** Images leave devDependencies out, so sophia-run must be among the dependencies. */
function dependencySteps(manifest: Manifest, { add, isInRoot }: PackageOptions): readonly SetupStep[] {
  const version = dependenciesIn(manifest, "dependencies").get("sophia-run");
  const tarball = typeof version === "string" ? /^(?:file:)?(\.*\/.*\/([^/]+\.tgz))$/.exec(version) : null;
  const advice = (title: string, lines: readonly string[]): readonly SetupStep[] => [
    { kind: "advise", file: FILE, title: `${title}; run`, lines },
  ];
  if (tarball !== null) {
    const [, path = "", name = ""] = tarball;
    const command = (add.at(-1) ?? "").replace(NODE_PACKAGE, `./${shellWord(name)}`);
    return advice("images and CI need the tarball of sophia-run in this folder", [
      `cp ${shellWord(path)} . && ${command}`,
    ]);
  }
  if (version !== undefined || isInRoot || manifest["name"] === "sophia-run") return [];
  return hasDependency(manifest)
    ? advice("sophia-run is a devDependency, which images leave out", add)
    : advice("sophia-run is not among its dependencies", add);
}

function scriptSteps(
  text: string,
  manifest: Manifest,
  { edit, startsByNpm, isThere }: PackageOptions,
): readonly SetupStep[] {
  const prefix = startsByNpm ? `exec ${PREFIX}` : PREFIX;
  const remark = startsByNpm ? ABOUT_EXEC : undefined;
  const advice = (lines: readonly string[]): readonly SetupStep[] => [{ kind: "advise", file: FILE, lines, remark }];
  const starting = STARTING.flatMap((name) => {
    const command = scriptOf(manifest, name);
    return command === undefined ? [] : [[name, command] as const];
  });
  if (starting.length === 0) {
    const program = PROGRAMS.find(isThere);
    if (program === undefined) return unedited(`it has no script ${enumerate(STARTING, "or")}`, { edit });
    return advice([`"scripts": { "start": "${prefix}node ${program}" }`]);
  }
  const changed = starting
    .filter(([, command]) => !/\bsophia-run\b/.test(command))
    .map(([name, command]) => [name, prefix + wrapped(command)] as const);
  if (changed.length === 0) return [{ kind: "ready", file: FILE }];
  const changes = changed.map(([name, to]): ScriptChange => ({ name, from: scriptOf(manifest, name), to }));
  const lines = changes.map(({ name, to }) => scriptLine(name, to));
  const edited = withScripts(text, changes);
  // A text with a key twice is left to the user.
  if (edited === undefined) return advice(lines);
  if (edit) return [{ kind: "edit", file: FILE, text: edited, written: lines, remark }];
  const replaced = changes.map(({ name, from = "" }) => scriptLine(name, from));
  const apply = (current: string): string | undefined => withScripts(current, changes);
  return [{ kind: "offer", file: FILE, lines, replaced, edit: apply, isLink: false, remark }];
}

function scriptLine(name: string, command: string): string {
  return `${JSON.stringify(name)}: ${JSON.stringify(command)}`;
}

/** Returns a command that can follow `--`: a script of several commands needs its own shell. */
function wrapped(command: string): string {
  if (!/[&|;<>()$`"'\n]|^\w+=/.test(command)) return command;
  return `sh -c ${shellQuoted(command)}`;
}
