/** The files that hold tokens or secrets, and the calls of an agent's tools that name them. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { isOfLine, type Origin } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { fieldsOf, type Fields } from "../../esc/transport/answer.ts";
import { resolveValues } from "../../resolve/resolve-values.ts";
import { isHidden } from "../../resolve/secret-values.ts";
import { attempt } from "../../system/errors.ts";
import { realPath } from "../../system/real-path.ts";
import { readSourcesWith } from "../parts/command-start.ts";
import { tokenFiles } from "../mask/token-files.ts";
import { pulumiCredentials } from "../../access/pulumi-credentials.ts";

export interface ProtectedFile {
  /** Absolute. */
  readonly path: string;
  /** In words, without a value. */
  readonly holds: string;
}

/** Reads the sources without ESC, on which no file depends. @throws SophiaError (125) */
export async function protectedFiles(given: Settings, context: Context): Promise<readonly ProtectedFile[]> {
  const settings = { ...given, offline: true, requireEsc: false };
  const sources = await readSourcesWith(settings, context);
  const { layers } = await resolveValues(sources);
  const variables = layers.flatMap((layer) => layer.variables);
  const secrets = new Map<string, string[]>();
  for (const variable of variables) {
    const { name, origin } = variable;
    const file = fileOf(origin);
    if (file === undefined || !isHidden(sources.files.contract, variable)) continue;
    secrets.set(file, [...(secrets.get(file) ?? []), printable(name)]);
  }
  const tokens = tokenFiles(layers, context.cwd);
  const login = pulumiCredentials(context.environment);
  const files = [
    ...Array.from(secrets, ([path, names]) => ({ path, holds: `secrets (${[...new Set(names)].join(", ")})` })),
    ...tokens.map(({ name, path }) => ({ path, holds: `a token for ESC (${name})` })),
    ...(login === undefined ? [] : [{ path: login, holds: "Pulumi's login" }]),
  ];
  return files.map(({ path, holds }) => ({ path: resolve(context.cwd, path), holds }));
}

function fileOf(origin: Origin): string | undefined {
  if (origin.source === "environment") return origin.read?.file;
  return isOfLine(origin) || origin.source === "secrets" ? origin.file : undefined;
}

interface Places {
  /** The tool's working directory. */
  readonly cwd: string;
  /** The user's. */
  readonly home: string;
}

/** The members in which tools take paths, also those of tools that move or copy files. */
const PATHS = /path|file|ur[il]|source|destination/i;

/** Returns the first of the files that a tool's input names, by a member for paths or in a command. */
export function namedIn(input: Fields, files: readonly ProtectedFile[], places: Places): ProtectedFile | undefined {
  const byPath = new Map(files.map((file) => [realPathOf(file.path), file]));
  for (const [member, text] of textsIn(input)) {
    const isCommand = member === "command" || member === "cmd";
    if (!isCommand && !PATHS.test(member)) continue;
    for (const word of isCommand ? wordsOf(text, places) : [text]) {
      const file = byPath.get(realPathOf(resolve(places.cwd, pathOf(word, places))));
      if (file !== undefined) return file;
    }
  }
  return undefined;
}

/** Yields each text of a tool's input with the name of the member that holds it, also in lists: some tools take several files. */
function* textsIn(value: unknown, member = ""): Generator<readonly [member: string, text: string]> {
  if (typeof value === "string") yield [member, value];
  else if (Array.isArray(value)) for (const part of value) yield* textsIn(part, member);
  else for (const [name, part] of Object.entries(fieldsOf(value) ?? {})) yield* textsIn(part, name);
}

/** Returns what may be a path in a command of a shell, or in a patch: a quoted text, and what stands between separators. */
function wordsOf(command: string, { cwd, home }: Places): readonly string[] {
  const named = command.replaceAll(/\$(?:HOME\b|\{HOME\})/g, () => home).replaceAll(/\$(?:PWD\b|\{PWD\})/g, () => cwd);
  const quoted = named.match(/"[^"]*"|'[^']*'/g) ?? [];
  // Quotes and backslashes also stand within words: "$HOME"/.env, \.env.
  const texts = [named, named.replaceAll(/["'\\]/g, "")];
  return [...quoted.map((text) => text.slice(1, -1)), ...texts.flatMap((text) => text.split(/[\s'"`;|&<>(){}=,@]+/))];
}

/** Returns the path in a text, in which tools accept `~` and addresses of files. */
function pathOf(text: string, { home }: Places): string {
  const path = /^file:\/\//i.test(text) ? (attempt(() => fileURLToPath(text)) ?? text) : text;
  return path.replace(/^~(?=\/)/, () => home);
}

function realPathOf(path: string): string {
  return attempt(() => realPath(path)) ?? path;
}
