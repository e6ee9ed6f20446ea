/** The parts that options add to a start. A plain start evaluates the conditions, and loads none of the parts. */
import type { Run } from "../../command-line/command-line.ts";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import type { Redaction, Watch } from "../../launch/index.ts";
import type { Secret } from "../../masking/model.ts";
import type { Assessment } from "../../resolve/assessment.ts";
import type { Recorder } from "../audit-log/record.ts";
import { outputReader } from "./agents.ts";
import type { RunBroker } from "./broker/broker.ts";

/** A start whose options are known. */
export interface Start extends Pick<Run, "command" | "flags"> {
  readonly settings: Settings;
  readonly context: Context;
}

/** Results of attendants, for the launch and for those that follow in the table. */
export interface Additions {
  readonly record?: Recorder | undefined;
  readonly broker?: RunBroker | undefined;
  readonly redaction?: Redaction | undefined;
  readonly watch?: Watch | undefined;
}

/** A start whose contract is checked, before the launch. */
interface CheckedStart extends Start, Additions {
  readonly assessment: Assessment;
  /** The contract is not met: nothing may be started. */
  readonly isRefused: boolean;
}

interface Attendant {
  readonly isAsked: (start: Start & Partial<CheckedStart>) => boolean;
  /** Called before sources are read, to refuse what does not fit. */
  readonly prepare?: (start: Start) => Promise<Additions | undefined>;
  /** Called once the contract is checked. */
  readonly attend: (start: CheckedStart) => Promise<Additions | undefined>;
}

const brokerModule = () => import("./broker/broker.ts");

const ATTENDANTS: readonly Attendant[] = [
  // --broker and --aws-refresh, one server. Before the record of the start, which names the brokered keys.
  {
    isAsked: ({ settings, flags, assessment }) =>
      settings.broker ||
      (settings.awsRefresh ?? assessment?.contract.awsRefresh) === true ||
      Object.keys(flags).some((name) => name.startsWith("broker-")),
    prepare: async (start) => (await brokerModule()).refuseBrokerStart(start),
    attend: async (start) =>
      start.isRefused ? undefined : { broker: await (await brokerModule()).openRunBroker(start) },
  },
  // --audit-log
  {
    isAsked: ({ settings }) => (settings.auditLog ?? settings.reason) !== undefined,
    prepare: async ({ settings, flags, context }) => {
      return { record: (await import("../audit-log/record.ts")).recorderOf(settings, flags, context) };
    },
    attend: async ({ record, command, broker, isRefused, assessment }) => {
      record?.({ event: "start", command: command[0], broker }, isRefused, assessment);
      return undefined;
    },
  },
  // The refusal, unless --no-contract.
  {
    isAsked: ({ isRefused }) => isRefused === true,
    attend: async ({ assessment, command, settings, context }) => {
      throw await (await import("../contract-unmet.ts")).refusal(assessment, command[0], settings, context);
    },
  },
  // --redact. Before notices: with `github` it prints commands that mask all later output.
  {
    isAsked: isMasked,
    attend: async ({ settings, assessment, broker, context }) => {
      return { redaction: await redactionFor(settings, assessment, context, broker?.dummies()) };
    },
  },
  // Notices
  {
    isAsked: ({ assessment }) =>
      assessment !== undefined &&
      (assessment.notices.length > 0 || assessment.esc.kind === "unavailable" || assessment.esc.kind === "refused"),
    attend: async ({ assessment, settings, context }) => {
      const { printNotices, warnUnavailable } = await import("../../output/print-notices.ts");
      warnUnavailable(context, assessment.esc);
      printNotices(context, settings, assessment.notices);
      return undefined;
    },
  },
  // --watch
  {
    isAsked: ({ settings }) => settings.watch,
    attend: async ({ command, flags, settings, assessment, redaction, record, broker, context }) => {
      const { watchOf } = await import("./watch/watch.ts");
      const first = { invocation: { command, flags }, settings, assessment, redaction, record, broker };
      return { watch: watchOf({ ...first, redact: redactionFor }, context) };
    },
  },
];

/** Has those that are asked refuse what does not fit. @throws SophiaError (125) */
export async function prepareAttendants(start: Start): Promise<Additions> {
  let additions: Additions = {};
  for (const { isAsked, prepare } of ATTENDANTS) {
    if (prepare !== undefined && isAsked(start)) additions = { ...additions, ...(await prepare(start)) };
  }
  return additions;
}

/** Has those that are asked do their part. @throws SophiaError (contract-unmet, 78; 125) if nothing may be started */
export async function attend(start: Start, prepared: Additions, assessment: Assessment): Promise<Additions> {
  const isRefused = start.settings.enforceContract && assessment.violations.length > 0;
  let checked: CheckedStart = { ...start, ...prepared, assessment, isRefused };
  for (const attendant of ATTENDANTS) {
    if (attendant.isAsked(checked)) checked = { ...checked, ...(await attendant.attend(checked)) };
  }
  return checked;
}

function isMasked({ settings: { redact }, context }: Pick<Start, "settings" | "context">): boolean {
  return (redact !== "auto" && redact !== "never") || outputReader(context.environment) !== undefined;
}

/** Returns the masking of the program's output; undefined for none. */
async function redactionFor(
  settings: Settings,
  assessment: Assessment,
  context: Context,
  dummies: readonly Secret[] = [],
): Promise<Redaction | undefined> {
  if (!isMasked({ settings, context })) return undefined;
  const { redactionOf } = await import("./redaction.ts");
  return redactionOf(settings, { ...assessment, dummies }, outputReader(context.environment), context);
}
