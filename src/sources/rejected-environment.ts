/** Environments that ESC does not open because a schema in them refuses their values. Loaded only for one. */
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
    if (!(error instanceof EscFault || error instanceof SophiaError)) throw error;
    const names = new Set(findings.flatMap((one) => aboutValue(one) ?? []));
    const variables = Array.from(names, (one): Variable => ({
      name: one,
      value: UNSEEN,
      secret: true,
      origin: originOf(one, name, findings),
      delivery: "value",
    }));
    return { ...rejected, variables, isComplete: false };
  }
}

/** Returns the place where a value is defined, as far as the findings about it say. */
function originOf(variable: string, name: FullName, findings: readonly Diagnostic[]): Origin {
  const place = findings.find((one) => aboutValue(one) === variable);
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
  const rejected = results.filter((one) => "findings" in one);
  const [first] = rejected;
  if (first === undefined) throw new TypeError("no environment is rejected");
  const { name, fault } = first;
  const texts = remarks.flatMap((one) => (one.kind === "remark" ? [one.text] : []));
  const named = new EscFault(fault.fault, { ...fault.context, environment: formatName(name) });
  return {
    kind: "unavailable",
    blames: "service",
    failure: describeFault(named, settings, texts),
    rejected: {
      findings: rejected.flatMap(({ findings }) => findings),
      environments: results.map((one) => ({
        name: formatName(one.name),
        ...(one.name.version === undefined ? {} : { version: one.name.version }),
      })),
      layers: results.toReversed().map(({ variables }) => ({ source: "esc", variables })),
      isComplete: rejected.every(({ isComplete }) => isComplete),
    },
  };
}
