/** How a project's program is started in an image, from its package.json: the words of CMD, or why there are none. */
import { enumerateFew } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { dependenciesIn, objectOf, type Manifest } from "./place.ts";

/** A program's start without a package manager in between, which would not pass signals on. */
export type StartCommand =
  | { readonly kind: "start"; readonly options: readonly string[]; readonly words: readonly string[] }
  | { readonly kind: "none"; readonly why: string };

export interface StartSurroundings {
  readonly runtime: "node" | "bun";
  /** There is a script that builds: files that are missing may be what it makes. */
  readonly isBuilt: boolean;
  readonly isThere: (file: string) => boolean;
  /** The commands that packages of these names bring; undefined if they are not installed. */
  readonly commandsOf: (packages: readonly string[]) => ReadonlySet<string> | undefined;
}

export const PROGRAMS = ["server.js", "index.js", "app.js", "main.js"];
const DEEPEST = 8;
/** Commands that the image or its shell has. */
const ALWAYS_THERE = new Set(
  "sophia-run node sh env exec cd echo export test true sleep mkdir cp rm set trap wait".split(" "),
);
/** Options of Node.js whose value is the next word. */
const WITH_VALUE = /^(?:-[rC]|--(?:require|import|loader|experimental-loader|conditions|title|env-file-if-exists))$/;
const COMPOUND = /[&|;<>()$`\n*?]/;

/** Reads the `start` script, else `main`, else looks for a program of a customary name. */
export function startCommand(manifest: Manifest, surroundings: StartSurroundings): StartCommand {
  const scripts = objectOf(manifest["scripts"]) ?? {};
  const { start, prestart } = scripts;
  if (typeof start === "string") {
    if (typeof prestart === "string" && !buildsOnly(prestart, scripts))
      return none("prestart runs before start, which an image does not do");
    return fromScript(start, manifest, surroundings);
  }
  const { main } = manifest;
  const program = typeof main === "string" && main !== "" ? main : PROGRAMS.find(surroundings.isThere);
  if (program === undefined) return none("package.json has neither a start script nor a main program");
  return fromWords([surroundings.runtime, program], manifest, surroundings);
}

function none(why: string): StartCommand {
  return { kind: "none", why };
}

/** The build of the image has done it. */
function buildsOnly(prestart: string, { build }: Manifest): boolean {
  return prestart === build || /^(?:npm run|pnpm(?: run)?|yarn(?: run)?|bun run) build$/.test(prestart.trim());
}

function fromScript(script: string, manifest: Manifest, surroundings: StartSurroundings, depth = 0): StartCommand {
  const text = script.trim().replace(/^exec\s+/, "");
  const words = COMPOUND.test(text) ? undefined : wordsOf(text);
  if (words === undefined) return fromShell(text, manifest, surroundings);
  const other = scriptCalled(words);
  const called = other === undefined ? undefined : objectOf(manifest["scripts"])?.[other];
  if (typeof called === "string" && depth < DEEPEST) return fromScript(called, manifest, surroundings, depth + 1);
  if (other !== undefined) return none(`start calls the script ${printable(other)}, which cannot be followed`);
  if (words[0] === "npx") return fromWords(words.slice(1), manifest, surroundings);
  if (words[0] !== "sophia-run") return fromWords(words, manifest, surroundings);
  const end = words.indexOf("--");
  const options = end === -1 ? [] : words.slice(1, end);
  const started = fromWords(words.slice(end === -1 ? 1 : end + 1), manifest, surroundings);
  return started.kind === "none" ? started : { ...started, options };
}

/** `npm run x`, `npm start`, `pnpm x`, `yarn x`, `bun run x`: the name of the script. */
function scriptCalled([tool = "", first = "", second]: readonly string[]): string | undefined {
  if (!/^(?:npm|pnpm|yarn|bun)$/.test(tool)) return undefined;
  if (first === "run" || first === "run-script") return /\.[cm]?[jt]sx?$/.test(second ?? "") ? undefined : second;
  return tool === "npm" || tool === "pnpm" || tool === "yarn" ? first : undefined;
}

/** The words of a command without operators; undefined for a quote that does not end. */
function wordsOf(text: string): readonly string[] | undefined {
  const words: string[] = [];
  const word = /\s*((?:"[^"\\]*"|'[^']*'|[^\s"'\\])+)(?=\s|$)/y;
  while (word.lastIndex < text.trimEnd().length) {
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
  if (why !== undefined) return none(why);
  // sophia-run reads .env files, and none is in an image: Node.js would end for want of it.
  const args =
    program === "node"
      ? rest.filter((word, at) => !/^--env-file(?:=|$)/.test(word) && rest[at - 1] !== "--env-file")
      : rest;
  const file = program === "node" || program === "bun" ? programFile(args) : undefined;
  if (file !== undefined && !surroundings.isBuilt && !fileVariants(file).some(surroundings.isThere)) {
    return none(`${printable(file)} is not there, and no build script makes it`);
  }
  const assignments = begin <= 0 ? [] : ["env", ...words.slice(0, begin)];
  return { kind: "start", options: [], words: [...assignments, program, ...args] };
}

/** The first word that is no option; `run` of Bun is none either. */
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

/** Why a command cannot be run in the image; undefined if it can. */
function missing(
  command: string,
  manifest: Manifest,
  { commandsOf, isThere, runtime }: StartSurroundings,
): string | undefined {
  if (ALWAYS_THERE.has(command) || command === runtime || (command.includes("/") && isThere(command))) return undefined;
  const isBroughtBy = (group: string): boolean => {
    const names = [...dependenciesIn(manifest, group).keys()];
    return names.includes(command) || commandsOf(names)?.has(command) === true;
  };
  if (isBroughtBy("dependencies")) return undefined;
  const shown = printable(command);
  if (isBroughtBy("devDependencies")) {
    return `start runs ${shown} of the devDependencies, which images leave out: move it to the dependencies`;
  }
  return `start runs ${shown}, which none of the installed dependencies brings`;
}

/** A script with operators of the shell: each command in it must be there. */
function fromShell(text: string, manifest: Manifest, surroundings: StartSurroundings): StartCommand {
  const commands = text.split(/&&|\|\||[;|&\n()]/).flatMap((part) => {
    const [, first = ""] = /^\s*(?:\w+=\S*\s+)*(?:exec\s+)?(\S*)/.exec(part) ?? [];
    return first === "" ? [] : [first];
  });
  const managed = commands.filter((command) => /^(?:npm|pnpm|yarn|bun|npx|bunx)$/.test(command));
  if (managed.length > 0) return none(`start runs ${enumerateFew([...new Set(managed)])} within a line of the shell`);
  const why = commands.map((command) => missing(command, manifest, surroundings)).find((one) => one !== undefined);
  return why === undefined ? { kind: "start", options: [], words: ["sh", "-c", text] } : none(why);
}
