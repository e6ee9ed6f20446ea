/** package.json as a place of use: the dependency, and the scripts that start a program. */
import { shellQuoted, shellWord } from "../../core/shell.ts";
import { NODE_PACKAGE } from "../../core/package-source.ts";
import { dependenciesIn, objectOf, parseManifest, type Manifest, type Place } from "./place.ts";
import { PROGRAMS } from "./start-command.ts";

/** Scripts that start a program of the repository. */
const STARTING = ["start", "dev", "serve"];
const PREFIX = "sophia-run -- ";
const FILE = "package.json";
const ABOUT_EXEC =
  "exec: the shell that stands in front of a script does not pass SIGTERM on; cmd of Windows has no exec";

export interface ScriptOptions {
  readonly add: readonly string[];
  readonly edit: boolean;
  readonly isThere: (file: string) => boolean;
  /** An image or a supervisor starts npm, which then has to pass signals on. */
  readonly startsByNpm: boolean;
  /** The root of the workspace has it among its dependencies, so that each package finds it. */
  readonly isInRoot: boolean;
}

export function npmScripts(text: string | undefined, options: ScriptOptions): readonly Place[] {
  if (text === undefined) return [];
  const manifest = parseManifest(text);
  if (manifest === undefined) {
    return [{ kind: "advise", file: FILE, title: "not a JSON object; its scripts cannot be read", lines: [] }];
  }
  return [...dependency(manifest, options), ...prefixed(text, manifest, options)];
}

export function startsNpm(...texts: readonly (string | undefined)[]): boolean {
  const starts = /^\s*(?:ENTRYPOINT|CMD|[\w-]+:)\s*\[?[\s"']*(?:npm|pnpm|yarn|bun)\b/im;
  return texts.some((text) => text !== undefined && starts.test(text));
}

/** Images leave development dependencies out, and they need sophia-run. */
function dependency(manifest: Manifest, { add, isInRoot }: ScriptOptions): readonly Place[] {
  const version = dependenciesIn(manifest, "dependencies").get("sophia-run");
  const tarball = typeof version === "string" ? /^(?:file:)?(\.*\/.*\/([^/]+\.tgz))$/.exec(version) : null;
  const advice = (title: string, lines: readonly string[]): readonly Place[] => [
    { kind: "advise", file: FILE, title: `${title}; run`, lines },
  ];
  if (tarball !== null) {
    const [, path = "", name = ""] = tarball;
    const command = (add.at(-1) ?? "").replace(NODE_PACKAGE, `./${shellWord(name)}`);
    return advice("images and CI lack the tarball of sophia-run", [`cp ${shellWord(path)} . && ${command}`]);
  }
  if (version !== undefined || isInRoot || manifest["name"] === "sophia-run") return [];
  return hasDependency(manifest)
    ? advice("images leave out devDependencies, sophia-run among them", add)
    : advice("sophia-run is not among its dependencies", add);
}

/** Returns true if package.json names sophia-run, so that its package manager finds the command. */
export function hasDependency(manifest: Manifest): boolean {
  return dependenciesIn(manifest, "dependencies", "devDependencies").has("sophia-run");
}

function prefixed(text: string, manifest: Manifest, { edit, startsByNpm, isThere }: ScriptOptions): readonly Place[] {
  const prefix = startsByNpm ? `exec ${PREFIX}` : PREFIX;
  const remark = startsByNpm ? ABOUT_EXEC : undefined;
  const scripts = objectOf(manifest["scripts"]) ?? {};
  const starting = STARTING.flatMap((name) => {
    const command = scripts[name];
    return typeof command === "string" ? [[name, command] as const] : [];
  });
  const left = starting.filter(([, command]) => !/\bsophia-run\b/.test(command));
  if (starting.length > 0 && left.length === 0) return [{ kind: "ready", file: FILE }];
  const changed = left.map(([name, command]) => [name, prefix + wrapped(command)] as const);
  if (changed.length === 0) {
    const program = PROGRAMS.find(isThere);
    if (program === undefined) return [];
    return [{ kind: "advise", file: FILE, lines: [`"scripts": { "start": "${prefix}node ${program}" }`], remark }];
  }
  if (!edit) {
    const lines = changed.map(([name, command]) => `${JSON.stringify(name)}: ${JSON.stringify(command)}`);
    return [{ kind: "advise", file: FILE, lines, remark }];
  }
  const edited = { ...manifest, scripts: { ...scripts, ...Object.fromEntries(changed) } };
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? "  ";
  const written = JSON.stringify(edited, undefined, indent) + (text.endsWith("\n") ? "\n" : "");
  const done = `put ${prefix.trimEnd()} in front of ${changed.map(([name]) => name).join(", ")}`;
  return [{ kind: "edit", file: FILE, text: written, done, remark }];
}

/** A script that is more than one command needs a shell of its own behind `--`. */
function wrapped(command: string): string {
  if (!/[&|;<>()$`"'\n]|^\w+=/.test(command)) return command;
  return `sh -c ${shellQuoted(command)}`;
}
