/**
 * Reads a project's package.json for all steps of `init`, and returns the steps for the file itself: sophia-run becomes a
 * dependency, and stands in front of the commands of the start scripts. manifest-edits.ts edits the text.
 */
import { shellQuoted, shellWord } from "../../core/shell.ts";
import { NODE_PACKAGE_ARGUMENT } from "../parts/package-source.ts";
import { enumerate, withoutMark } from "../../core/text.ts";
import { type ScriptChange, replaceScripts } from "./manifest-edits.ts";
import type { SetupStep } from "./setup-step.ts";

/** The object in a package.json. Its members may have any type, since another program wrote the file. */
export type Manifest = Readonly<Record<string, unknown>>;

/** Parses package.json. Returns undefined for a text that is not a JSON object. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    return objectOf(JSON.parse(withoutMark(text)));
  } catch {
    return undefined;
  }
}

/** Returns a value if it is an object, neither null nor an array; otherwise undefined. */
export function objectOf(value: unknown): Manifest | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}

/** Returns the versions of the dependencies in groups such as `devDependencies`, by the names of the packages. */
export function dependenciesIn(manifest: Manifest, ...groups: readonly string[]): ReadonlyMap<string, unknown> {
  return new Map(groups.flatMap((group) => Object.entries(objectOf(manifest[group]) ?? {})));
}

/** Returns true if sophia-run is a dependency of the package. */
export function hasDependency(manifest: Manifest): boolean {
  return dependenciesIn(manifest, "dependencies", "devDependencies").has("sophia-run");
}

/** Returns the command of a script, such as `start`. */
export function scriptOf(manifest: Manifest, name: string): string | undefined {
  const command = objectOf(manifest["scripts"])?.[name];
  return typeof command === "string" ? command : undefined;
}

/** The usual names of a program, in the order in which they are tried. */
export const PROGRAMS = ["server.js", "index.js", "app.js", "main.js"];
/** The usual names of scripts that start a program. */
const START_SCRIPTS = ["start", "dev", "serve"];
const COMMAND_PREFIX = "sophia-run -- ";
const FILE = "package.json";
const EXEC_REMARK =
  "exec: otherwise the shell of the script keeps SIGTERM from the program; cmd of Windows has no exec";

export interface PackageOptions {
  /** The commands by which the user adds sophia-run to the dependencies. The last one is that of the package manager. */
  readonly addCommands: readonly string[];
  /** True with `--edit-scripts`: init changes the scripts without a question. */
  readonly editsScripts: boolean;
  /** Returns true if a file exists in the project. */
  readonly fileExists: (file: string) => boolean;
  /**
   * True if an image or a supervisor starts the program by its package manager. Then a signal reaches the program only if
   * it replaces the shell of the script.
   */
  readonly isStartedByPackageManager: boolean;
  /** True if the root of the workspace depends on sophia-run, so that this package finds it there. */
  readonly hasRootDependency: boolean;
}

/** Returns the steps for package.json. `text` is undefined if the file does not exist. */
export function createPackageSteps(text: string | undefined, options: PackageOptions): readonly SetupStep[] {
  if (text === undefined) return explainNoEdit("there is none", options);
  const manifest = parseManifest(text);
  if (manifest === undefined) {
    return [{ kind: "advise", file: FILE, title: "scripts cannot be read (not a JSON object)", lines: [] }];
  }
  return [...dependencySteps(manifest, options), ...scriptSteps(text, manifest, options)];
}

/** Returns advice that says why `--edit-scripts` changes nothing; none without this option. */
function explainNoEdit(reason: string, { editsScripts }: Pick<PackageOptions, "editsScripts">): readonly SetupStep[] {
  return editsScripts ? [{ kind: "advise", file: FILE, title: `not changed because ${reason}`, lines: [] }] : [];
}

/** Returns true if a Dockerfile or a Procfile starts a package manager: `CMD ["npm", "start"]`, `web: npm start`. */
export function startsPackageManager(...texts: readonly (string | undefined)[]): boolean {
  const startLine = /^[ \t]*(?:ENTRYPOINT|CMD|[\w-]+:)(?:[ \t]*\[)?[ \t"']*(?:npm|pnpm|yarn|bun)\b/im;
  return texts.some((text) => text !== undefined && startLine.test(text));
}

/** Returns advice if sophia-run is not among `dependencies`. In `devDependencies` it would be missing in images. */
function dependencySteps(manifest: Manifest, { addCommands, hasRootDependency }: PackageOptions): readonly SetupStep[] {
  const version = dependenciesIn(manifest, "dependencies").get("sophia-run");
  // A version such as `file:../sophia-run.tgz` names a file outside of the folder that an image copies.
  const outerTarball = typeof version === "string" ? /^(?:file:)?(\.*\/.*\/([^/]+\.tgz))$/.exec(version) : null;
  const advice = (title: string, lines: readonly string[]): readonly SetupStep[] => [
    { kind: "advise", file: FILE, title: `${title}; run`, lines },
  ];
  if (outerTarball !== null) {
    const [, path = "", name = ""] = outerTarball;
    const addCommand = (addCommands.at(-1) ?? "").replace(NODE_PACKAGE_ARGUMENT, `./${shellWord(name)}`);
    return advice("images and CI need the tarball of sophia-run in this folder", [
      `cp ${shellWord(path)} . && ${addCommand}`,
    ]);
  }
  // The package sophia-run itself, whose repository uses init, does not depend on sophia-run.
  if (version !== undefined || hasRootDependency || manifest["name"] === "sophia-run") return [];
  return hasDependency(manifest)
    ? advice("sophia-run is a devDependency, which images leave out", addCommands)
    : advice("sophia-run is not among its dependencies", addCommands);
}

/** Returns the step that puts sophia-run in front of the commands of the start scripts. */
function scriptSteps(
  text: string,
  manifest: Manifest,
  { editsScripts, isStartedByPackageManager, fileExists }: PackageOptions,
): readonly SetupStep[] {
  const prefix = isStartedByPackageManager ? `exec ${COMMAND_PREFIX}` : COMMAND_PREFIX;
  const remark = isStartedByPackageManager ? EXEC_REMARK : undefined;
  const advice = (lines: readonly string[]): readonly SetupStep[] => [{ kind: "advise", file: FILE, lines, remark }];
  const startScripts = START_SCRIPTS.flatMap((name) => {
    const command = scriptOf(manifest, name);
    return command === undefined ? [] : [{ name, command }];
  });
  if (startScripts.length === 0) {
    const program = PROGRAMS.find(fileExists);
    if (program === undefined)
      return explainNoEdit(`it has no script ${enumerate(START_SCRIPTS, "or")}`, { editsScripts });
    return advice([`"scripts": { "start": "${prefix}node ${program}" }`]);
  }
  const changes = startScripts
    .filter(({ command }) => !/\bsophia-run\b/.test(command))
    .map(({ name, command }): ScriptChange => ({
      name,
      currentCommand: command,
      newCommand: prefix + asSingleCommand(command),
    }));
  if (changes.length === 0) return [{ kind: "ready", file: FILE }];
  const newLines = changes.map(({ name, newCommand }) => scriptLine(name, newCommand));
  const editedText = replaceScripts(text, changes);
  // The text cannot be edited safely, for example because it has a key twice.
  if (editedText === undefined) return advice(newLines);
  if (editsScripts) return [{ kind: "edit", file: FILE, text: editedText, newLines, remark }];
  const replaced = changes.map(({ name, currentCommand = "" }) => scriptLine(name, currentCommand));
  const apply = (currentText: string): string | undefined => replaceScripts(currentText, changes);
  return [{ kind: "offer", file: FILE, lines: newLines, replaced, edit: apply, isLink: false, remark }];
}

function scriptLine(name: string, command: string): string {
  return `${JSON.stringify(name)}: ${JSON.stringify(command)}`;
}

/**
 * Returns the command of a script so that it can follow `--`. A command with shell operators or assignments gets its own
 * shell.
 */
function asSingleCommand(command: string): string {
  if (!/[&|;<>()$`"'\n]|^\w+=/.test(command)) return command;
  return `sh -c ${shellQuoted(command)}`;
}
