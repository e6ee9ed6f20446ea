/**
 * Finds out what is known of an ESC environment that ESC does not open, because a schema in the environment refuses its values. The
 * user then sees which value is wrong. Loaded only if ESC reports such a refusal.
 */
import { SophiaError } from "../core/error.ts";
import type { Diagnostic, Notice, Origin, Variable } from "../core/model.ts";
import { evaluate, variablesIn, UNSEEN } from "../esc/api/evaluate.ts";
import type { OpenedEnvironment } from "../esc/api/open-session.ts";
import { namesInTraces } from "../esc/api/trace.ts";
import { EscFault } from "../esc/faults/esc-fault.ts";
import { describeFault } from "../esc/faults/fault-wording.ts";
import { aboutValue } from "../esc/faults/schema-refusal.ts";
import type { EscSettings } from "../esc/settings/access-settings.ts";
import { formatName, type FullName } from "../esc/settings/environment-names.ts";
import type { Connection } from "../esc/transport/connection.ts";
import type { EscFailure } from "./esc-failure.ts";

export interface RejectedEnvironment extends Pick<OpenedEnvironment, "name" | "variables"> {
  readonly fault: EscFault;
  readonly findings: readonly Diagnostic[];
  readonly isComplete: boolean;
}

/** Evaluates the environment, which shows what is not secret. Without the right to do so, only the findings are known. */
export async function rejectedEnvironment(
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
    return { ...rejected, variables, isComplete: !evaluated.open };
  } catch (error) {
    // ESC did not evaluate the environment, so that only the findings are known.
    if (!(error instanceof EscFault || error instanceof SophiaError)) throw error;
    const names = new Set(findings.flatMap((finding) => aboutValue(finding) ?? []));
    const variables = Array.from(names, (variableName): Variable => ({
      name: variableName,
      value: UNSEEN,
      secret: true,
      origin: originOf(variableName, name, findings),
      delivery: "value",
    }));
    return { ...rejected, variables, isComplete: false };
  }
}

/** Returns the place where a value is defined, as far as the findings about it say. */
function originOf(variable: string, name: FullName, findings: readonly Diagnostic[]): Origin {
  const place = findings.find((finding) => aboutValue(finding) === variable);
  const { environment, line } = place ?? {};
  const isImport =
    environment !== undefined && !environment.startsWith("<") && !namesInTraces({}, name).has(environment);
  return {
    source: "esc",
    environment: formatName(name),
    ...(isImport ? { importedFrom: environment } : {}),
    ...(line === undefined ? {} : { line }),
  };
}

/** Returns the failure of environments of which at least one is rejected. */
export function rejection(
  results: readonly (OpenedEnvironment | RejectedEnvironment)[],
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
      findings: rejected.flatMap(({ findings }) => findings),
      environments: results.map((result) => ({
        name: formatName(result.name),
        ...(result.name.version === undefined ? {} : { version: result.name.version }),
      })),
      layers: results.toReversed().map(({ variables }) => ({ source: "esc", variables })),
      isComplete: rejected.every(({ isComplete }) => isComplete),
    },
  };
}
