/**
 * Finds the files of a project that contain tokens or secrets, and whether the input of a coding agent's tool names one of
 * them. `sophia-run hook` then denies the use of the tool.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { isLineLocation, type Origin } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { fieldsOf, type Fields } from "../../esc/transport/answer.ts";
import { resolveValues } from "../../resolve/resolve-values.ts";
import { isHidden } from "../../resolve/secret-values.ts";
import { attempt } from "../../system/errors.ts";
import { realPath } from "../../system/real-path.ts";
import { readCommandSources } from "../parts/command-start.ts";
import { listTokenFiles } from "../mask/token-files.ts";
import { findPulumiCredentialsFile } from "../../access/pulumi-credentials.ts";

export interface ProtectedFile {
  /** The absolute path. */
  readonly path: string;
  /** A description of the content, without a value: `a token for ESC (ESC_TOKEN_FILE)`. */
  readonly contentDescription: string;
}

/** Returns the protected files of a project. ESC is not read, since no file depends on it. @throws SophiaError (125) */
export async function findProtectedFiles(userSettings: Settings, context: Context): Promise<readonly ProtectedFile[]> {
  const settings = { ...userSettings, offline: true, requireEsc: false };
  const sources = await readCommandSources(settings, context);
  const { layers } = await resolveValues(sources);
  const variables = layers.flatMap((layer) => layer.variables);
  const secretsByFile = new Map<string, string[]>();
  for (const variable of variables) {
    const { name, origin } = variable;
    const file = findFileOfOrigin(origin);
    if (file === undefined || !isHidden(sources.files.contract, variable)) continue;
    secretsByFile.set(file, [...(secretsByFile.get(file) ?? []), printable(name)]);
  }
  const tokens = listTokenFiles(layers, context.cwd);
  const login = findPulumiCredentialsFile(context.environment);
  const files = [
    ...Array.from(secretsByFile, ([path, names]) => {
      return { path, contentDescription: `secrets (${[...new Set(names)].join(", ")})` };
    }),
    ...tokens.map(({ name, path }) => ({ path, contentDescription: `a token for ESC (${name})` })),
    ...(login === undefined ? [] : [{ path: login, contentDescription: "Pulumi's login" }]),
  ];
  return files.map((file) => ({ ...file, path: resolve(context.cwd, file.path) }));
}

/** Returns the file from which a value comes; undefined if it comes from the environment itself. */
function findFileOfOrigin(origin: Origin): string | undefined {
  if (origin.source === "environment") return origin.read?.file;
  return isLineLocation(origin) || origin.source === "secrets" ? origin.file : undefined;
}

/** The folders by which paths in a tool's input are resolved. */
interface BaseFolders {
  /** The working directory of the tool. */
  readonly cwd: string;
  /** The home folder of the user. */
  readonly home: string;
}

/** Matches the names of members in which tools take paths, such as `file_path` or `destination`. */
const PATH_MEMBERS = /path|file|ur[il]|source|destination/i;

/** Returns the first protected file that a tool's input names, by a member for paths or in a command. */
export function findNamedFile(
  input: Fields,
  files: readonly ProtectedFile[],
  folders: BaseFolders,
): ProtectedFile | undefined {
  const filesByRealPath = new Map(files.map((file) => [realPathOf(file.path), file]));
  for (const [member, text] of listTexts(input)) {
    const isCommand = member === "command" || member === "cmd";
    if (!isCommand && !PATH_MEMBERS.test(member)) continue;
    for (const word of isCommand ? listPossiblePaths(text, folders) : [text]) {
      const file = filesByRealPath.get(realPathOf(resolve(folders.cwd, expandPath(word, folders))));
      if (file !== undefined) return file;
    }
  }
  return undefined;
}

/** Yields each text of a tool's input with the name of its member. The texts of a list have the name of the list. */
function* listTexts(value: unknown, member = ""): Generator<readonly [member: string, text: string]> {
  if (typeof value === "string") yield [member, value];
  else if (Array.isArray(value)) for (const part of value) yield* listTexts(part, member);
  else for (const [name, part] of Object.entries(fieldsOf(value) ?? {})) yield* listTexts(part, name);
}

/** Returns all words of a shell command or a patch that may be a path: texts in quotes, and texts between separators. */
function listPossiblePaths(command: string, { cwd, home }: BaseFolders): readonly string[] {
  const expandedCommand = command
    .replaceAll(/\$(?:HOME\b|\{HOME\})/g, () => home)
    .replaceAll(/\$(?:PWD\b|\{PWD\})/g, () => cwd);
  const quotedTexts = expandedCommand.match(/"[^"]*"|'[^']*'/g) ?? [];
  // The shell removes quotes and backslashes within a word, as in "$HOME"/.env and \.env.
  const texts = [expandedCommand, expandedCommand.replaceAll(/["'\\]/g, "")];
  return [
    ...quotedTexts.map((text) => text.slice(1, -1)),
    ...texts.flatMap((text) => text.split(/[\s'"`;|&<>(){}=,@]+/)),
  ];
}

/** Returns the path that a word names. Tools also accept `~/.env` and `file:///home/me/.env`. */
function expandPath(text: string, { home }: BaseFolders): string {
  const path = /^file:\/\//i.test(text) ? (attempt(() => fileURLToPath(text)) ?? text) : text;
  return path.replace(/^~(?=\/)/, () => home);
}

/** Returns the path without symbolic links, or the path itself if the file does not exist. */
function realPathOf(path: string): string {
  return attempt(() => realPath(path)) ?? path;
}
