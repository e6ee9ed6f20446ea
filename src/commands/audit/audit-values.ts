/** Values that hold credentials although nothing declares them secret: in ESC, in files and in the environment. */
import { declarationOf } from "../../contract/check-contract.ts";
import { credentialOf } from "../../contract/looks-secret.ts";
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

export interface ValueAudit {
  readonly findings: readonly Finding[];
  /** Declared names that the contract calls public, wrongly. */
  readonly names: ReadonlySet<string>;
  readonly unseen: readonly string[];
  /** The variables that `values.files` supplies, by the full names of the environments; undefined if ESC was not evaluated. */
  readonly files: ReadonlyMap<string, ReadonlySet<string>> | undefined;
}

/** Evaluates the environments without opening them: secrets stay unknown. */
export async function auditValues(
  contract: Contract,
  reader: EscAccess,
  files: readonly Layer[],
  environment: Environment,
  progress: Progress,
): Promise<ValueAudit> {
  const evaluated = reader.kind === "on" ? await evaluatedIn(reader.settings, progress) : [];
  const inEsc = (evaluated ?? []).flatMap(({ name, variables }) =>
    Array.from(variables.values()).flatMap((value) =>
      value.kind === "known" && !value.variable.secret ? [{ ...value.variable, where: formatName(name) }] : [],
    ),
  );
  const local = [environmentLayer(environment), ...files].flatMap(({ variables }) =>
    variables.map(({ name, value }) => ({ name, value, where: undefined })),
  );
  const plain = new Map<string, Finding>();
  const names = new Map<string, Finding>();
  for (const { name, value, where } of [...inEsc, ...local]) {
    const credential = credentialOf(contract, name, value);
    if (credential === undefined) continue;
    if (where !== undefined) plain.set(name, { kind: "plain-text", name, environment: where, credential });
    const declaration = declarationOf(contract, name);
    if (declaration?.secret !== false) continue;
    names.set(declaration.name, { kind: "called-public", name: declaration.name, credential });
  }
  return {
    findings: [...plain.values(), ...names.values()],
    names: new Set(names.keys()),
    files: evaluated === undefined ? undefined : new Map(evaluated.map((one) => [formatName(one.name), filesIn(one)])),
    unseen: evaluated === undefined ? ["ESC: credentials among the values in plain text"] : [],
  };
}

function filesIn({ variables }: EvaluatedEnvironment): ReadonlySet<string> {
  const files = Array.from(variables).filter(([, value]) =>
    value.kind === "known" ? value.variable.delivery === "file" : value.kind === "unknown" && value.delivery === "file",
  );
  return new Set(files.map(([name]) => name));
}

/** Returns undefined if the service does not evaluate them for this token; the ages of secrets say why. */
async function evaluatedIn(
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
