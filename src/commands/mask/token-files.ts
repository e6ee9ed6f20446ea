/** The tokens that open ESC and lie in files, which the tools of an agent can read. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Environment, Layer } from "../../core/model.ts";
import { readTokenFile } from "../../esc/auth/token-file.ts";
import { EscFault } from "../../esc/faults/esc-fault.ts";
import type { Secret } from "../../masking/masking-model.ts";
import { pulumiTokens } from "../../access/pulumi-login.ts";
import { attempt } from "../../system/errors.ts";

const VARIABLES: ReadonlySet<string> = new Set(["ESC_TOKEN_FILE", "ESC_OIDC_TOKEN_FILE"]);

export interface TokenFile {
  /** The variable that names it. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/** Returns the files that variables of any source name, also if ESC is not opened with them. */
export function tokenFiles(layers: readonly Layer[], cwd: string): readonly TokenFile[] {
  return layers
    .flatMap(({ variables }) => variables)
    .filter(({ name, value }) => VARIABLES.has(name) && value !== "")
    .map(({ name, value }) => ({ name, path: resolve(cwd, value) }));
}

/** Reads the tokens of such files, and those of Pulumi's login. A pipe may have its token no more. */
export async function tokensInFiles(files: readonly TokenFile[], environment: Environment): Promise<readonly Secret[]> {
  const tokens: Secret[] = pulumiTokens(environment).map((value) => ({ name: "Pulumi's login", value }));
  for (const { name, path } of files) {
    if (attempt(() => statSync(path).isFile()) !== true) continue;
    try {
      tokens.push({ name, value: (await readTokenFile(name, path, [])).reveal() });
    } catch (error) {
      // ESC was asked with it, and a warning says what is wrong; or it is of no use.
      if (!(error instanceof EscFault)) throw error;
    }
  }
  return tokens;
}
