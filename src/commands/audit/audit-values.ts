/**
 * Finds for `audit` the values that are credentials although nothing declares them secret: in ESC, in `.env` files and in
 * the process environment. A finding names the kind of credential, never the value.
 */
import { declarationOf } from "../../contract/check-contract.ts";
import { describeVariableCredential } from "../../contract/looks-secret.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { SophiaError } from "../../core/error.ts";
import type { Environment, Layer } from "../../core/model.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { evaluate, type EvaluatedEnvironment } from "../../esc/api/evaluate.ts";
import type { EscAccess, EscSettings } from "../../esc/settings/access-settings.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { environmentLayer } from "../../sources/environment-layer.ts";
import type { Finding } from "./findings.ts";

/** The result of the search. */
export interface ValueAudit {
  readonly findings: readonly Finding[];
  /** The names that the contract declares public although their values hold credentials. */
  readonly wronglyPublicNames: ReadonlySet<string>;
  /** Descriptions of what could not be read. */
  readonly unseen: readonly string[];
  /**
   * The variables that `values.files` supplies, by the full names of the environments; undefined if ESC was not evaluated.
   */
  readonly files: ReadonlyMap<string, ReadonlySet<string>> | undefined;
}

/** A value that is not stored as a secret. */
interface PlainValue {
  readonly name: string;
  readonly value: string;
  /** The ESC environment that has the value; undefined for other sources. */
  readonly environment: string | undefined;
}

/** Audits the values. Environments are evaluated without opening them, so that secrets stay unknown. */
export async function auditValues(
  contract: Contract,
  reader: EscAccess,
  fileLayers: readonly Layer[],
  processEnvironment: Environment,
  progress: Progress,
): Promise<ValueAudit> {
  const evaluated = reader.kind === "on" ? await evaluateAll(reader.settings, progress) : [];
  const localLayers = [environmentLayer(processEnvironment), ...fileLayers];
  const values = [...(evaluated ?? []).flatMap(plainValuesIn), ...localLayers.flatMap(valuesInLayer)];
  const plainTextFindings = new Map<string, Finding>();
  const publicFindings = new Map<string, Finding>();
  for (const { name, value, environment } of values) {
    const credential = describeVariableCredential(contract, name, value);
    if (credential === undefined) continue;
    if (environment !== undefined) plainTextFindings.set(name, { kind: "plain-text", name, environment, credential });
    // The name of the value may be an alias, but the finding is about the declared variable.
    const declaration = declarationOf(contract, name);
    if (declaration?.secret !== false) continue;
    publicFindings.set(declaration.name, { kind: "called-public", name: declaration.name, credential });
  }
  return {
    findings: [...plainTextFindings.values(), ...publicFindings.values()],
    wronglyPublicNames: new Set(publicFindings.keys()),
    files:
      evaluated === undefined
        ? undefined
        : new Map(evaluated.map((result) => [formatName(result.name), fileNamesIn(result)])),
    unseen: evaluated === undefined ? ["ESC: credentials among the values in plain text"] : [],
  };
}

function plainValuesIn({ name: environment, variables }: EvaluatedEnvironment): readonly PlainValue[] {
  return Array.from(variables.values()).flatMap((evaluated) => {
    if (evaluated.kind !== "known" || evaluated.variable.secret) return [];
    const { name, value } = evaluated.variable;
    return [{ name, value, environment: formatName(environment) }];
  });
}

function valuesInLayer({ variables }: Layer): readonly PlainValue[] {
  return variables.map(({ name, value }) => ({ name, value, environment: undefined }));
}

function fileNamesIn({ variables }: EvaluatedEnvironment): ReadonlySet<string> {
  const files = Array.from(variables).filter(([, evaluated]) => {
    if (evaluated.kind === "known") return evaluated.variable.delivery === "file";
    return evaluated.kind === "unknown" && evaluated.delivery === "file";
  });
  return new Set(files.map(([name]) => name));
}

/**
 * Evaluates all environments. Returns undefined if the service does not do so for this token. The reason is in the part of
 * the report about the ages of secrets, so that it is not repeated here.
 */
async function evaluateAll(
  settings: EscSettings,
  progress: Progress,
): Promise<readonly EvaluatedEnvironment[] | undefined> {
  try {
    const answers = await askEsc(settings, progress, evaluate);
    return answers.kind === "read" ? answers.results : undefined;
  } catch (error) {
    if (error instanceof SophiaError) return undefined;
    throw error;
  }
}
