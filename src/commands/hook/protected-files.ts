/** The files that hold tokens or secrets, and the calls of an agent's tools that name them. */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import type { Fields } from "../../esc/transport/answer.ts";
import { precede } from "../../resolve/precede.ts";
import { readSources } from "../../resolve/read-sources.ts";
import { isHidden } from "../../resolve/secrets.ts";
import { attempt } from "../../system/errors.ts";
import { requestOf } from "../assessed.ts";
import { pulumiCredentials } from "../explain/locations.ts";

export interface ProtectedFile {
  /** Absolute. */
  readonly path: string;
  /** In words, without a value. */
  readonly holds: string;
}

const TOKEN_FILES: ReadonlySet<string> = new Set(["ESC_TOKEN_FILE", "ESC_OIDC_TOKEN_FILE"]);

/** Reads the sources without ESC, on which no file depends. @throws SophiaError (125) */
export async function protectedFiles(given: Settings, context: Context): Promise<readonly ProtectedFile[]> {
  const settings = { ...given, offline: true, requireEsc: false };
  const { sources, layers } = await precede(await readSources(requestOf(settings, context)));
  const variables = layers.flatMap((layer) => layer.variables);
  const secrets = new Map<string, string[]>();
  for (const variable of variables) {
    const { name, origin } = variable;
    if (origin.source !== "dotenv" || !isHidden(sources.contract, variable)) continue;
    secrets.set(origin.file, [...(secrets.get(origin.file) ?? []), printable(name)]);
  }
  const tokens = variables.filter(({ name, value }) => TOKEN_FILES.has(name) && value !== "");
  const login = pulumiCredentials(context.environment);
  const files = [
    ...Array.from(secrets, ([path, names]) => ({ path, holds: `secrets (${[...new Set(names)].join(", ")})` })),
    ...tokens.map(({ name, value }) => ({ path: value, holds: `a token for ESC (${name})` })),
    ...(login === undefined ? [] : [{ path: login, holds: "Pulumi's login" }]),
  ];
  return files.map(({ path, holds }) => ({ path: resolve(context.cwd, path), holds }));
}

/** Returns the first of the files that a tool's input names, by a member for paths or in a command. @param home of the user */
export function namedIn(
  input: Fields,
  files: readonly ProtectedFile[],
  { cwd, home }: { readonly cwd: string; readonly home: string },
): ProtectedFile | undefined {
  const byPath = new Map(files.map((file) => [realPath(file.path), file]));
  const words = Object.entries(input).flatMap(([member, value]) => {
    const texts = [value].flat().filter((text): text is string => typeof text === "string");
    if (member === "command") return texts.flatMap((text) => wordsOf(text, home));
    return /path|file/i.test(member) ? texts : [];
  });
  for (const word of words) {
    const file = byPath.get(realPath(resolve(cwd, word)));
    if (file !== undefined) return file;
  }
  return undefined;
}

/** Returns what may be a path in a command of a shell, or in a patch. */
function wordsOf(command: string, home: string): readonly string[] {
  const words = command.split(/[\s'"`;|&<>(){}=,@]+/);
  return words.map((word) => word.replace(/^(?:~|\$HOME)(?=\/)/, home));
}

function realPath(path: string): string {
  return attempt(() => realpathSync(path)) ?? path;
}
