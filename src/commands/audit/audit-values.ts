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

/** The result of the search for credentials. */
export interface ValueAudit {
  readonly findings: readonly Finding[];
  /** The names that the contract declares public although their values hold credentials. */
  readonly wronglyPublicNames: ReadonlySet<string>;
  /** Descriptions of what could not be read. */
  readonly unreadDescriptions: readonly string[];
  /**
   * The variables that `values.files` supplies, by the full names of the environments; undefined if ESC was not evaluated.
   */
  readonly filesByEnvironment: ReadonlyMap<string, ReadonlySet<string>> | undefined;
}

/** The sources of values besides ESC. */
interface LocalSources {
  /** The variables of `.env` files. */
  readonly fileLayers: readonly Layer[];
  readonly processEnvironment: Environment;
}

/** A value that is not stored as a secret. */
interface PlainTextValue {
  readonly name: string;
  readonly value: string;
  /** The ESC environment that has the value; undefined for other sources. */
  readonly environment: string | undefined;
}

/** Audits the values. Environments are evaluated without opening them, so that secrets stay unknown. */
export async function auditValues(
  contract: Contract,
  readingAccess: EscAccess,
  { fileLayers, processEnvironment }: LocalSources,
  progress: Progress,
): Promise<ValueAudit> {
  const evaluatedEnvironments =
    readingAccess.kind === "on" ? await evaluateEnvironments(readingAccess.settings, progress) : [];
  const localLayers = [environmentLayer(processEnvironment), ...fileLayers];
  const values = [...(evaluatedEnvironments ?? []).flatMap(listPlainValues), ...localLayers.flatMap(listLayerValues)];
  const credentialFindings = findCredentials(values, contract);
  if (evaluatedEnvironments === undefined) {
    return {
      ...credentialFindings,
      filesByEnvironment: undefined,
      unreadDescriptions: ["ESC: credentials among the values in plain text"],
    };
  }
  const fileEntries = evaluatedEnvironments.map(
    (environment) => [formatName(environment.name), listFileVariables(environment)] as const,
  );
  return { ...credentialFindings, filesByEnvironment: new Map(fileEntries), unreadDescriptions: [] };
}

/** Finds the values that are credentials. If a variable has several such values, the last one decides the finding. */
function findCredentials(
  values: readonly PlainTextValue[],
  contract: Contract,
): Pick<ValueAudit, "findings" | "wronglyPublicNames"> {
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
  };
}

function listPlainValues({ name: environment, variables }: EvaluatedEnvironment): readonly PlainTextValue[] {
  return Array.from(variables.values()).flatMap((evaluated) => {
    if (evaluated.kind !== "known" || evaluated.variable.secret) return [];
    const { name, value } = evaluated.variable;
    return [{ name, value, environment: formatName(environment) }];
  });
}

function listLayerValues({ variables }: Layer): readonly PlainTextValue[] {
  return variables.map(({ name, value }) => ({ name, value, environment: undefined }));
}

function listFileVariables({ variables }: EvaluatedEnvironment): ReadonlySet<string> {
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
async function evaluateEnvironments(
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
