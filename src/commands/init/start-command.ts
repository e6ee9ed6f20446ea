/** The command that starts a project's program in an image, by its package.json. */
import { enumerateFew } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { dependenciesIn, PROGRAMS, scriptOf, type Manifest } from "./package-json.ts";

/** The words of CMD, without a package manager, which would not pass signals on; or the reason why there are none. */
export type StartCommand =
  | { readonly options: readonly string[]; readonly words: readonly string[] }
  | { readonly why: string };

export interface StartSurroundings {
  readonly runtime: "node" | "bun";
  /** A build script exists, which may create files that are missing. */
  readonly isBuilt: boolean;
  readonly isThere: (file: string) => boolean;
  /** Returns the commands of packages; undefined if no package is installed. */
  readonly commandsOf: (packages: readonly string[]) => ReadonlySet<string> | undefined;
}

const MAX_DEPTH = 8;
const ALWAYS_THERE = new Set(
  "sophia-run node sh env exec cd echo export test true sleep mkdir cp rm set trap wait".split(" "),
);
/** Options of Node.js whose value is the next word. */
const WITH_VALUE = /^(?:-[rC]|--(?:require|import|loader|experimental-loader|conditions|title|env-file-if-exists))$/;
const COMPOUND = /[&|;<>()$`\n*?]/;

/** Follows the `start` script, else `main`, else a program with a usual name. */
export function startCommand(manifest: Manifest, surroundings: StartSurroundings): StartCommand {
  const [start, prestart] = [scriptOf(manifest, "start"), scriptOf(manifest, "prestart")];
  if (start !== undefined) {
    if (prestart !== undefined && !buildsOnly(prestart, manifest))
      return { why: "an image does not run the prestart script" };
    return fromScript(start, manifest, surroundings);
  }
  const { main } = manifest;
  const program = typeof main === "string" && main !== "" ? main : PROGRAMS.find(surroundings.isThere);
  if (program === undefined) return { why: "package.json has no start script and no main program" };
  return fromWords([surroundings.runtime, program], manifest, surroundings);
}

/** Returns true if a script only builds, which the image has done already. */
function buildsOnly(prestart: string, manifest: Manifest): boolean {
  return (
    prestart === scriptOf(manifest, "build") ||
    /^(?:npm run|pnpm(?: run)?|yarn(?: run)?|bun run) build$/.test(prestart.trim())
  );
}

function fromScript(script: string, manifest: Manifest, surroundings: StartSurroundings, depth = 0): StartCommand {
  const text = script.trim().replace(/^exec\s+/, "");
  const words = COMPOUND.test(text) ? undefined : wordsOf(text);
  if (words === undefined) return fromShell(text, manifest, surroundings);
  const other = scriptCalled(words);
  const called = other === undefined ? undefined : scriptOf(manifest, other);
  if (called !== undefined && depth < MAX_DEPTH) return fromScript(called, manifest, surroundings, depth + 1);
  if (other !== undefined)
    return { why: `start calls the script ${printable(other)}, which does not exist or calls itself` };
  if (words[0] === "npx") return fromWords(words.slice(1), manifest, surroundings);
  if (words[0] !== "sophia-run") return fromWords(words, manifest, surroundings);
  const end = words.indexOf("--");
  const options = end === -1 ? [] : words.slice(1, end);
  const started = fromWords(words.slice(end === -1 ? 1 : end + 1), manifest, surroundings);
  return "why" in started ? started : { ...started, options };
}

/** Returns the script of `npm run x`, `npm start`, `pnpm x`, `yarn x` or `bun run x`. */
function scriptCalled([tool = "", first = "", second]: readonly string[]): string | undefined {
  if (!/^(?:npm|pnpm|yarn|bun)$/.test(tool)) return undefined;
  if (first === "run" || first === "run-script") return /\.[cm]?[jt]sx?$/.test(second ?? "") ? undefined : second;
  return tool === "npm" || tool === "pnpm" || tool === "yarn" ? first : undefined;
}

/** Splits a command without operators; undefined if a quote does not end. */
function wordsOf(text: string): readonly string[] | undefined {
  const words: string[] = [];
  const word = /\s*((?:"[^"\\]*"|'[^']*'|[^\s"'\\])+)(?=\s|$)/y;
  const { length } = text.trimEnd();
  while (word.lastIndex < length) {
    const found = word.exec(text);
    if (found === null) return undefined;
    words.push((found[1] ?? "").replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
  }
  return words.length === 0 ? undefined : words;
}

function fromWords(words: readonly string[], manifest: Manifest, surroundings: StartSurroundings): StartCommand {
  const isAssignment = (word: string): boolean => /^\w+=/.test(word);
  const begin = words.findIndex((word) => !isAssignment(word));
  const [program = "", ...rest] = begin === -1 ? [] : words.slice(begin);
  const why = missing(program, manifest, surroundings);
  if (why !== undefined) return { why };
  // sophia-run reads .env files. No image has one, so that Node.js would refuse to start.
  const args =
    program === "node"
      ? rest.filter((word, at) => !/^--env-file(?:=|$)/.test(word) && rest[at - 1] !== "--env-file")
      : rest;
  const file = program === "node" || program === "bun" ? programFile(args) : undefined;
  if (file !== undefined && !surroundings.isBuilt && !fileVariants(file).some(surroundings.isThere)) {
    return { why: `${printable(file)} does not exist, and there is no build script` };
  }
  const assignments = begin <= 0 ? [] : ["env", ...words.slice(0, begin)];
  return { options: [], words: [...assignments, program, ...args] };
}

/** Returns the first word that is neither an option nor `run` of Bun. */
function programFile(args: readonly string[]): string | undefined {
  const at = args.findIndex(
    (word, index) => !word.startsWith("-") && word !== "run" && !WITH_VALUE.test(args[index - 1] ?? ""),
  );
  const isCode = args.slice(0, at).some((word) => /^(?:-e|-p|--eval|--print)$/.test(word));
  return isCode ? undefined : args[at];
}

function fileVariants(file: string): readonly string[] {
  return [file, `${file}.js`, `${file}.cjs`, `${file}/index.js`];
}

/** Returns the reason why the image cannot run a command; undefined if it can. */
function missing(
  command: string,
  manifest: Manifest,
  { commandsOf, isThere, runtime }: StartSurroundings,
): string | undefined {
  if (ALWAYS_THERE.has(command) || command === runtime || (command.includes("/") && isThere(command))) return undefined;
  const isIn = (group: string): boolean => {
    const names = [...dependenciesIn(manifest, group).keys()];
    return names.includes(command) || commandsOf(names)?.has(command) === true;
  };
  if (isIn("dependencies")) return undefined;
  const shown = printable(command);
  if (isIn("devDependencies")) {
    return `start runs ${shown} of the devDependencies, which images leave out; move it to the dependencies`;
  }
  return `start runs ${shown}, which is in none of the installed dependencies`;
}

/** Runs a script with shell operators by `sh -c` if the image has each of its commands. */
function fromShell(text: string, manifest: Manifest, surroundings: StartSurroundings): StartCommand {
  const commands = text.split(/&&|\|\||[;|&\n()]/).flatMap((part) => {
    const [, first = ""] = /^\s*(?:\w+=\S*\s+)*(?:exec\s+)?(\S*)/.exec(part) ?? [];
    return first === "" ? [] : [first];
  });
  const managed = commands.filter((command) => /^(?:npm|pnpm|yarn|bun|npx|bunx)$/.test(command));
  if (managed.length > 0) return { why: `start runs ${enumerateFew([...new Set(managed)])} within a shell command` };
  const why = commands.map((command) => missing(command, manifest, surroundings)).find((one) => one !== undefined);
  return why === undefined ? { options: [], words: ["sh", "-c", text] } : { why };
}
