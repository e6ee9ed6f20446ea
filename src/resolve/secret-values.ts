/** The decision which variables are secret, and the values to search for. */
import { declarationOf } from "../contract/check-contract.ts";
import { credentialIn } from "../contract/credential-forms.ts";
import { credentialOf } from "../contract/looks-secret.ts";
import type { Contract } from "../contract/contract-model.ts";
import type { Variable } from "../core/model.ts";
import type { Secret } from "../masking/masking-model.ts";
import { initialEntries } from "../system/own-environment.ts";
import { isSecret } from "../contract/secret-names.ts";
import type { Start } from "./start.ts";

/** Returns true for what outputs must not show: also what its value makes a secret, unless it is in the contract itself. */
export function isHidden(contract: Contract, variable: Variable): boolean {
  const { name, value, origin } = variable;
  if (origin.source === "fake") return false;
  return (
    isSecret(contract, variable) || (origin.source !== "contract" && credentialOf(contract, name, value) !== undefined)
  );
}

export const PUBLIC_REMEDY = 'declare "secret": true there, or "secret": false with a "reason"';

export interface PublicCredential {
  readonly name: string;
  /** In words. */
  readonly credential: string;
  /** The contract's, for which it is not hidden. */
  readonly reason?: string | undefined;
}

/** Returns the variables that the contract declares public, and whose values hold credentials. */
export function publicCredentials({ files, values }: ResolvedStart): readonly PublicCredential[] {
  return Array.from(values.selected.values()).flatMap(({ name, value, origin }): readonly PublicCredential[] => {
    const declaration = declarationOf(files.contract, name);
    if (declaration?.secret !== false || origin.source === "contract" || origin.source === "fake") return [];
    const credential = credentialIn(value);
    return credential === undefined ? [] : [{ name, credential, reason: declaration.reason }];
  });
}

/** The part of a start that has its values. */
export interface ResolvedStart {
  readonly files: Pick<Start["files"], "contract">;
  readonly values: Pick<Start["values"], "layers" | "resolution" | "selected">;
}

type TextSecret = Secret & { readonly value: string };

/** Returns the secrets that outputs must not show, of all sources, whether the program gets them or not. */
export function secretsOf({ files, values: { layers, resolution, selected } }: ResolvedStart): readonly TextSecret[] {
  const hides = (variable: Variable): boolean => isHidden(files.contract, variable);
  const secrets = Array.from(resolution.values()).filter(hides);
  // A withheld value may hide another one, which the program gets.
  const others = Array.from(selected.values()).filter(
    (variable) => hides(variable) && resolution.get(variable.name)?.value !== variable.value,
  );
  // A dummy of --fake stands for a real value, which the program may still read in a file.
  const replaced = Array.from(resolution.values()).some(
    ({ origin, shadowed }) => origin.source === "fake" && shadowed !== undefined,
  )
    ? layers.flatMap(({ variables }) =>
        variables.filter((variable) => resolution.get(variable.name)?.origin.source === "fake" && hides(variable)),
      )
    : [];
  return [...secrets, ...others, ...replaced].map(({ name, value }) => ({ name, value }));
}

/** Returns the secrets of all layers, also those that another layer overrides. A name that one marks is secret in all. */
export function secretsOfAllLayers({ files, values }: Pick<Start, "files" | "values">): readonly Secret[] {
  const isMarked = (name: string): boolean => values.resolution.get(name)?.secret === true;
  return values.layers.flatMap(({ variables }) =>
    variables
      .filter((variable) => isHidden(files.contract, { ...variable, secret: isMarked(variable.name) }))
      .map(({ name, value }) => ({ name, value: originalValue(name, value) })),
  );
}

/** Returns the secrets to search for: those of `secretsOf`, with the bytes that the caller gave, which may not be UTF-8. */
export function secretBytesOf(start: ResolvedStart): readonly Secret[] {
  return secretsOf(start).map(({ name, value }) => ({ name, value: originalValue(name, value) }));
}

/**
 * Returns the bytes of a variable for which Node.js has U+FFFD because they are not UTF-8 (Linux), else its value: in the
 * executable a Buffer of that value has the same bytes.
 */
export function originalValue(name: string, value: string): string | Uint8Array {
  if (!value.includes("\uFFFD")) return value;
  const entry = initialEntries().get(`${name}=${value}`);
  return entry?.subarray(entry.indexOf("=") + 1) ?? value;
}
