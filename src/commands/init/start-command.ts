/**
 * Finds the command that starts a project's program in an image, by the scripts of its package.json. The image then needs
 * no package manager, which would not pass signals on to the program.
 */
import { enumerateFew } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { dependenciesIn, PROGRAMS, scriptOf, type Manifest } from "./package-json.ts";

/** The command that starts the program in an image, or the reason why the image cannot run it. */
export type StartCommand =
  | {
      /** The options of sophia-run that the script states, for ENTRYPOINT. */
      readonly options: readonly string[];
      /** The words of the command itself, for CMD. */
      readonly words: readonly string[];
    }
  | { readonly obstacle: string };

/** The facts about the project and the image by which a command is judged. */
export interface StartSurroundings {
  readonly runtime: "node" | "bun";
  /** The image runs a build script, which may create files that are missing now. */
  readonly isBuilt: boolean;
  readonly fileExists: (file: string) => boolean;
  /** Returns the commands of packages; undefined if no package is installed. */
  readonly commandsOf: (packages: readonly string[]) => ReadonlySet<string> | undefined;
}

/** The limit on scripts that call each other. Scripts that form a cycle reach it. */
const MAX_SCRIPT_DEPTH = 8;
/** The commands that are in every image: sophia-run, Node.js, and those of Debian and its shell that scripts use. */
const IMAGE_COMMANDS = new Set(
  "sophia-run node sh env exec cd echo export test true sleep mkdir cp rm set trap wait".split(" "),
);
/** Options of Node.js whose value is the next word. */
const OPTION_WITH_VALUE =
  /^(?:-[rC]|--(?:require|import|loader|experimental-loader|conditions|title|env-file-if-exists))$/;
/** Operators and expansions, which only a shell understands. */
const SHELL_SYNTAX = /[&|;<>()$`\n*?]/;

/** Returns the command of the `start` script, otherwise that of `main`, otherwise that of a program with a usual name. */
export function findStartCommand(manifest: Manifest, surroundings: StartSurroundings): StartCommand {
  const [start, prestart] = [scriptOf(manifest, "start"), scriptOf(manifest, "prestart")];
  if (start !== undefined) {
    // The package manager would run the prestart script first.
    if (prestart !== undefined && !isBuild(prestart, manifest)) {
      return { obstacle: "an image does not run the prestart script" };
    }
    return resolveScript(start, manifest, surroundings);
  }
  const { main } = manifest;
  const program = typeof main === "string" && main !== "" ? main : PROGRAMS.find(surroundings.fileExists);
  if (program === undefined) return { obstacle: "package.json has no start script and no main program" };
  return resolveWords([surroundings.runtime, program], manifest, surroundings);
}

/**
 * Returns true if a script only builds the project. The image need not run it, since it has run the build script before.
 */
function isBuild(script: string, manifest: Manifest): boolean {
  return (
    script === scriptOf(manifest, "build") ||
    /^(?:npm run|pnpm(?: run)?|yarn(?: run)?|bun run) build$/.test(script.trim())
  );
}

/**
 * Returns the command of a script. The script may call another script, or start its program with sophia-run:
 *
 *     npm run server
 *     sophia-run --strict -- node dist/server.js
 */
function resolveScript(script: string, manifest: Manifest, surroundings: StartSurroundings, depth = 0): StartCommand {
  const text = script.trim().replace(/^exec\s+/, "");
  const words = SHELL_SYNTAX.test(text) ? undefined : parseWords(text);
  if (words === undefined) return resolveShellScript(text, manifest, surroundings);
  const calledName = calledScript(words);
  const called = calledName === undefined ? undefined : scriptOf(manifest, calledName);
  if (called !== undefined && depth < MAX_SCRIPT_DEPTH) return resolveScript(called, manifest, surroundings, depth + 1);
  if (calledName !== undefined) {
    return { obstacle: `start calls the script ${printable(calledName)}, which does not exist or calls itself` };
  }
  if (words[0] === "npx") return resolveWords(words.slice(1), manifest, surroundings);
  if (words[0] !== "sophia-run") return resolveWords(words, manifest, surroundings);
  const separator = words.indexOf("--");
  const options = separator === -1 ? [] : words.slice(1, separator);
  const programWords = words.slice(separator === -1 ? 1 : separator + 1);
  const command = resolveWords(programWords, manifest, surroundings);
  return "obstacle" in command ? command : { ...command, options };
}

/** Returns the name of the script that `npm run x`, `npm start`, `pnpm x`, `yarn x` or `bun run x` runs. */
function calledScript([tool = "", first = "", second]: readonly string[]): string | undefined {
  if (!/^(?:npm|pnpm|yarn|bun)$/.test(tool)) return undefined;
  // `bun run server.ts` runs a file.
  if (first === "run" || first === "run-script") return /\.[cm]?[jt]sx?$/.test(second ?? "") ? undefined : second;
  return tool === "npm" || tool === "pnpm" || tool === "yarn" ? first : undefined;
}

/**
 * Splits a command such as `node "my server.js" --port 80` into words; undefined if it has a backslash, or a quote without
 * an end.
 */
function parseWords(text: string): readonly string[] | undefined {
  const words: string[] = [];
  // A word consists of parts in double quotes, parts in single quotes, and other characters: `--name="my app"`.
  const word = /\s*((?:"[^"\\]*"|'[^']*'|[^\s"'\\])+)(?=\s|$)/y;
  const { length } = text.trimEnd();
  while (word.lastIndex < length) {
    const match = word.exec(text);
    if (match === null) return undefined;
    words.push((match[1] ?? "").replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
  }
  return words.length === 0 ? undefined : words;
}

/** Returns the command of words such as `NODE_ENV=production node --env-file=.env server.js`, if the image can run it. */
function resolveWords(words: readonly string[], manifest: Manifest, surroundings: StartSurroundings): StartCommand {
  const isAssignment = (word: string): boolean => /^\w+=/.test(word);
  const programIndex = words.findIndex((word) => !isAssignment(word));
  const [program = "", ...programArguments] = programIndex === -1 ? [] : words.slice(programIndex);
  const obstacle = explainMissing(program, manifest, surroundings);
  if (obstacle !== undefined) return { obstacle };
  // An image contains no .env file, without which Node.js would refuse to start. sophia-run reads .env files by itself.
  const isEnvFileOption = (word: string, index: number): boolean =>
    /^--env-file(?:=|$)/.test(word) || programArguments[index - 1] === "--env-file";
  const usedArguments =
    program === "node" ? programArguments.filter((word, index) => !isEnvFileOption(word, index)) : programArguments;
  const file = program === "node" || program === "bun" ? programFile(usedArguments) : undefined;
  if (file !== undefined && !surroundings.isBuilt && !fileVariants(file).some(surroundings.fileExists)) {
    return { obstacle: `${printable(file)} does not exist, and there is no build script` };
  }
  const assignments = programIndex <= 0 ? [] : ["env", ...words.slice(0, programIndex)];
  return { options: [], words: [...assignments, program, ...usedArguments] };
}

/** Returns the file that Node.js or Bun runs: the first word that is no option, no value of an option, and not `run`. */
function programFile(words: readonly string[]): string | undefined {
  const fileIndex = words.findIndex((word, index) => {
    return !word.startsWith("-") && word !== "run" && !OPTION_WITH_VALUE.test(words[index - 1] ?? "");
  });
  // With `-e` or `-p` the word is JavaScript, and not the name of a file.
  const isCode = words.slice(0, fileIndex).some((word) => /^(?:-e|-p|--eval|--print)$/.test(word));
  return isCode ? undefined : words[fileIndex];
}

/** Returns the files that Node.js tries for a file without an extension, or for a folder. */
function fileVariants(file: string): readonly string[] {
  return [file, `${file}.js`, `${file}.cjs`, `${file}/index.js`];
}

/**
 * Returns a reason such as "start runs x, which is in none of the installed dependencies"; undefined if the image has the
 * command.
 */
function explainMissing(
  command: string,
  manifest: Manifest,
  { commandsOf, fileExists, runtime }: StartSurroundings,
): string | undefined {
  if (IMAGE_COMMANDS.has(command) || command === runtime || (command.includes("/") && fileExists(command)))
    return undefined;
  const isInstalledBy = (group: "dependencies" | "devDependencies"): boolean => {
    const names = [...dependenciesIn(manifest, group).keys()];
    return names.includes(command) || commandsOf(names)?.has(command) === true;
  };
  if (isInstalledBy("dependencies")) return undefined;
  const shownCommand = printable(command);
  if (isInstalledBy("devDependencies")) {
    return `start runs ${shownCommand} of the devDependencies, which images leave out; move it to the dependencies`;
  }
  return `start runs ${shownCommand}, which is in none of the installed dependencies`;
}

/** Returns `sh -c` with a script that has operators of the shell, if the image has each of its commands. */
function resolveShellScript(text: string, manifest: Manifest, surroundings: StartSurroundings): StartCommand {
  const commands = text.split(/&&|\|\||[;|&\n()]/).flatMap((part) => {
    const [, command = ""] = /^\s*(?:\w+=\S*\s+)*(?:exec\s+)?(\S*)/.exec(part) ?? [];
    return command === "" ? [] : [command];
  });
  const packageManagers = commands.filter((command) => /^(?:npm|pnpm|yarn|bun|npx|bunx)$/.test(command));
  if (packageManagers.length > 0) {
    return { obstacle: `start runs ${enumerateFew([...new Set(packageManagers)])} within a shell command` };
  }
  const reasons = commands.map((command) => explainMissing(command, manifest, surroundings));
  const obstacle = reasons.find((reason) => reason !== undefined);
  return obstacle === undefined ? { options: [], words: ["sh", "-c", text] } : { obstacle };
}
