/**
 * Decides which variables of a start are secret, and returns their values for masking, for searches and for the audit log. The contract
 * decides first, then ESC (`contract/secret-names.ts` has these rules). A value in the form of a credential is also treated as a secret.
 */
import { declarationOf } from "../contract/check-contract.ts";
import { describeCredential } from "../contract/credential-forms.ts";
import { describeVariableCredential } from "../contract/looks-secret.ts";
import type { Contract } from "../contract/contract-model.ts";
import type { Layer, Resolution, Variable } from "../core/model.ts";
import type { Secret } from "../masking/masking-model.ts";
import { readInitialEntries } from "../system/process-environment.ts";
import { isSecret } from "../contract/secret-names.ts";
import type { Start } from "./start.ts";

/**
 * Returns true for a variable whose value outputs must not show, because of its name or because the value looks like a credential.
 * A default that stands in the contract is public, and a dummy is no secret.
 */
export function isHidden(contract: Contract, variable: Variable): boolean {
  const { name, value, origin } = variable;
  if (origin.source === "fake") return false;
  return (
    isSecret(contract, variable) ||
    (origin.source !== "contract" && describeVariableCredential(contract, name, value) !== undefined)
  );
}

/** The remedy for a public variable that holds a credential. `there` is the contract, which the line before names. */
export const PUBLIC_REMEDY = 'declare "secret": true there, or "secret": false with a "reason"';

/** A variable that the contract declares public, although its value holds a credential. */
export interface PublicCredential {
  readonly name: string;
  /** Describes the credential that was found in the value. */
  readonly credential: string;
  /** The author's reason, in the contract, to declare the variable public. With a reason the value is not hidden. */
  readonly reason?: string | undefined;
}

/** Returns the variables that the contract declares public, and whose values hold credentials. */
export function findPublicCredentials({ files, values }: ResolvedStart): readonly PublicCredential[] {
  return Array.from(values.selected.values()).flatMap(({ name, value, origin }): readonly PublicCredential[] => {
    const declaration = declarationOf(files.contract, name);
    if (declaration?.secret !== false || origin.source === "contract" || origin.source === "fake") return [];
    const credential = describeCredential(value);
    return credential === undefined ? [] : [{ name, credential, reason: declaration.reason }];
  });
}

/** The fields of a start in which secrets are looked for. */
export interface ResolvedStart {
  readonly files: Pick<Start["files"], "contract">;
  readonly values: Pick<Start["values"], "layers" | "resolution" | "selected">;
}

type TextSecret = Secret & { readonly value: string };

/** Returns the secrets of all sources that outputs must not show, whether the program gets them or not. */
export function collectSecrets({
  files,
  values: { layers, resolution, selected },
}: ResolvedStart): readonly TextSecret[] {
  const isSecretValue = (variable: Variable): boolean => isHidden(files.contract, variable);
  const winningSecrets = Array.from(resolution.values()).filter(isSecretValue);
  // If the program must not get the value that wins, it may get the value of a lower layer.
  const lowerSecrets = Array.from(selected.values()).filter(
    (variable) => isSecretValue(variable) && resolution.get(variable.name)?.value !== variable.value,
  );
  // With --fake, the program may still read the real value in a file, so it is masked as well as the dummy.
  const realSecrets = findVariablesBehindDummies(layers, resolution).filter(isSecretValue);
  return [...winningSecrets, ...lowerSecrets, ...realSecrets].map(({ name, value }) => ({ name, value }));
}

/** Returns the variables of all layers that dummies replace (`--fake`). */
function findVariablesBehindDummies(layers: readonly Layer[], resolution: Resolution): readonly Variable[] {
  const hasReplaced = Array.from(resolution.values()).some(
    ({ origin, shadowed }) => origin.source === "fake" && shadowed !== undefined,
  );
  if (!hasReplaced) return [];
  const isReplaced = ({ name }: Variable): boolean => resolution.get(name)?.origin.source === "fake";
  return layers.flatMap(({ variables }) => variables.filter(isReplaced));
}

/**
 * Returns the secrets of all layers, including those that a higher layer overrides. If one layer marks a name as secret, the
 * values of that name are secret in all layers.
 */
export function collectSecretsOfAllLayers({ files, values }: Pick<Start, "files" | "values">): readonly Secret[] {
  const isMarked = (name: string): boolean => values.resolution.get(name)?.secret === true;
  return values.layers.flatMap(({ variables }) =>
    variables
      .filter((variable) => isHidden(files.contract, { ...variable, secret: isMarked(variable.name) }))
      .map(({ name, value }) => ({ name, value: originalValue(name, value) })),
  );
}

/** Returns the secrets of `collectSecrets`, with the bytes that the caller has set. They need not be UTF-8. */
export function collectSecretBytes(start: ResolvedStart): readonly Secret[] {
  return collectSecrets(start).map(({ name, value }) => ({ name, value: originalValue(name, value) }));
}

/**
 * Returns the value as the caller has set it: its bytes if they are not UTF-8, and otherwise its text. Node.js on Linux replaces
 * each invalid byte by U+FFFD. The executable needs no bytes, because a Buffer of its text has the same bytes.
 */
export function originalValue(name: string, value: string): string | Uint8Array {
  if (!value.includes("\uFFFD")) return value;
  const entry = readInitialEntries().get(`${name}=${value}`);
  return entry?.subarray(entry.indexOf("=") + 1) ?? value;
}
