/**
 * Finds and reads files with tokens that open ESC. `sophia-run mask` masks the tokens, and `sophia-run hook` keeps a coding
 * agent from reading the files.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Environment, Layer } from "../../core/model.ts";
import { readTokenFile } from "../../esc/auth/token-file.ts";
import { EscFault } from "../../esc/faults/esc-fault.ts";
import type { Secret } from "../../masking/masking-model.ts";
import { readAllPulumiTokens } from "../../access/pulumi-login.ts";
import { attempt } from "../../system/errors.ts";

/** The variables that name such files. */
const TOKEN_FILE_VARIABLES: ReadonlySet<string> = new Set(["ESC_TOKEN_FILE", "ESC_OIDC_TOKEN_FILE"]);

export interface TokenFile {
  /** The variable that names the file. */
  readonly name: string;
  /** The absolute path of the file. */
  readonly path: string;
}

/** Returns the token files that variables of any source name, whether this start opens ESC with them or not. */
export function listTokenFiles(layers: readonly Layer[], cwd: string): readonly TokenFile[] {
  return layers
    .flatMap(({ variables }) => variables)
    .filter(({ name, value }) => TOKEN_FILE_VARIABLES.has(name) && value !== "")
    .map(({ name, value }) => ({ name, path: resolve(cwd, value) }));
}

/**
 * Reads the tokens in the files, and those of Pulumi's CLI. Only regular files are read: opening ESC may already have read
 * the token from a pipe. A file without a valid token is ignored.
 */
export async function readTokens(files: readonly TokenFile[], environment: Environment): Promise<readonly Secret[]> {
  const tokens: Secret[] = readAllPulumiTokens(environment).map((value) => ({ name: "Pulumi's login", value }));
  for (const { name, path } of files) {
    if (attempt(() => statSync(path).isFile()) !== true) continue;
    try {
      tokens.push({ name, value: (await readTokenFile(name, path, [])).reveal() });
    } catch (error) {
      // The file contains no valid token. If ESC should be opened with it, a warning has already been printed.
      if (!(error instanceof EscFault)) throw error;
    }
  }
  return tokens;
}
