/**
 * Finds out what is known of an ESC environment that ESC does not open, because a schema in the environment refuses a value. The user
 * then sees which value is wrong. The file is loaded only if ESC reports such a refusal.
 */
import { SophiaError } from "../core/error.ts";
import type { Diagnostic, Notice, Origin, Variable } from "../core/model.ts";
import { evaluate, variablesIn, UNSEEN } from "../esc/api/evaluate.ts";
import type { OpenedEnvironment } from "../esc/api/open-session.ts";
import { namesInTraces } from "../esc/api/trace.ts";
import { EscFault } from "../esc/faults/esc-fault.ts";
import { describeFault } from "../esc/faults/fault-wording.ts";
import { variableOfFinding } from "../esc/faults/schema-refusal.ts";
import type { EscSettings } from "../esc/settings/access-settings.ts";
import { formatName, type FullName } from "../esc/settings/environment-names.ts";
import type { Connection } from "../esc/transport/connection.ts";
import type { EscFailure, RejectedValues } from "./esc-failure.ts";

/** An environment that ESC does not open. `variables` are those that are known, with {@link UNSEEN} for unknown values. */
export interface RejectedEnvironment extends Pick<OpenedEnvironment, "name" | "revision" | "variables"> {
  readonly fault: EscFault;
  /** The findings of the schema: which values it refuses, and why. */
  readonly findings: readonly Diagnostic[];
  /** False if the environment may have further variables. */
  readonly isComplete: boolean;
}

/**
 * Asks ESC to evaluate the environment, which shows the values that are not secret. If ESC does not evaluate it for this token, only
 * the variables are known that the findings name.
 */
export async function evaluateRejected(
  name: FullName,
  fault: EscFault,
  findings: readonly Diagnostic[],
  connection: Connection,
): Promise<RejectedEnvironment> {
  const rejected = { name, fault, findings };
  try {
    const evaluated = await evaluate(name, connection);
    const variables = variablesIn(evaluated).map((variable) =>
      variable.value === UNSEEN ? { ...variable, origin: originOf(variable.name, name, findings) } : variable,
    );
    return { ...rejected, variables, isComplete: !evaluated.isPartial };
  } catch (error) {
    if (!(error instanceof EscFault || error instanceof SophiaError)) throw error;
    return { ...rejected, variables: variablesOfFindings(findings, name), isComplete: false };
  }
}

/** Returns a variable with {@link UNSEEN} for each variable that the findings name. */
function variablesOfFindings(findings: readonly Diagnostic[], environment: FullName): readonly Variable[] {
  const names = new Set(findings.flatMap((finding) => variableOfFinding(finding) ?? []));
  return Array.from(names, (name) => ({
    name,
    value: UNSEEN,
    secret: true,
    origin: originOf(name, environment, findings),
    delivery: "value",
  }));
}

/** Returns where a value is defined, as far as the findings about the value report it. */
function originOf(variable: string, requested: FullName, findings: readonly Diagnostic[]): Origin {
  const { environment, line } = findings.find((finding) => variableOfFinding(finding) === variable) ?? {};
  // ESC reports a place outside of any environment as `<…>`. The requested environment has several names in findings.
  const isImport =
    environment !== undefined && !environment.startsWith("<") && !namesInTraces({}, requested).has(environment);
  return {
    source: "esc",
    environment: formatName(requested),
    ...(isImport ? { importedFrom: environment } : {}),
    ...(line === undefined ? {} : { line }),
  };
}

/**
 * Describes the failure of a reading in which ESC did not open at least one of the environments.
 *
 * @param known the variables and names of all environments, the opened ones as well
 */
export function describeRejection(
  results: readonly (OpenedEnvironment | RejectedEnvironment)[],
  known: Pick<RejectedValues, "environments" | "layers">,
  settings: EscSettings,
  remarks: readonly Notice[],
): EscFailure {
  const rejected = results.filter((result) => "findings" in result);
  const [first] = rejected;
  if (first === undefined) throw new TypeError("no environment is rejected");
  const { name, fault } = first;
  const texts = remarks.flatMap((remark) => (remark.kind === "remark" ? [remark.text] : []));
  const faultWithEnvironment = new EscFault(fault.fault, { ...fault.context, environment: formatName(name) });
  return {
    kind: "unavailable",
    blames: "service",
    failure: describeFault(faultWithEnvironment, settings, texts),
    rejected: {
      ...known,
      findings: rejected.flatMap(({ findings }) => findings),
      isComplete: rejected.every(({ isComplete }) => isComplete),
    },
  };
}
