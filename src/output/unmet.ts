/**
 * Explains to the user that the contract is not met. The cause comes first, then the violations, then the remedy:
 *
 *     sophia-run: the contract is not met (1 violation); node was not started
 *       ✗ DATABASE_URL is required and not set
 *       set DATABASE_URL in .env, or in the environment
 */
import { namesOfViolation } from "../contract/check-contract.ts";
import { correctionOf, type SetOffer, sharedCorrections, sharedRemedy } from "../contract/remedies.ts";
import type { Wording } from "../contract/violation-wording.ts";
import type { Context } from "../core/context.ts";
import type { Failure, Notice, Resolution } from "../core/model.ts";
import { enumerateFew, limitLines, unbroken } from "../core/lines.ts";
import { shellWord } from "../core/shell.ts";
import { count, printable } from "../core/text.ts";
import { ADMIN_TOKEN } from "../esc/settings/own-variables.ts";
import { pulumiTokenRemedy } from "../esc/settings/pulumi-token.ts";
import { hasNoContract, judgedValues, type Start } from "../resolve/start.ts";
import { unallowed, unallowedWords } from "../access/consent-words.ts";
import { createEmptyValueDescriber } from "./unset-values.ts";
import { createWithholdingDescriber } from "./withheld-words.ts";
import { describeNotice, isInformation, describeUseOfFiles } from "./notice-words.ts";
import { FURTHER_WIDTH, heightOf } from "./stderr.ts";
import { MAX_SHOWN, namedContract, describeViolationsOf } from "./violations.ts";

/** The parts of the message, which are not wrapped yet. `check` prints them in its report, and starts in a failure. */
export interface UnmetReport {
  /** Set if the built-in contract applies: the reason, and two remedies. Absent if a failure of ESC is the cause. */
  readonly builtInApplies?: readonly [string, string];
  /** The failure of ESC because of which variables may be missing, with the remedy and the service's own words. */
  readonly cause?: readonly [string, ...string[]];
  readonly findings: readonly Finding[];
  /** Lines that begin with spaces belong to a command, and are not wrapped. */
  readonly remedy: readonly string[];
  /** The last lines: how a task runner passes on the settings for ESC. */
  readonly postscript?: readonly string[];
  /** Set if a value is missing and ESC is not configured. A project need not use ESC, so that only reports mention it. */
  readonly lacksEsc?: true;
}

/** One violation with its advice, or a line with the names of several. */
interface Finding {
  readonly kind: "violation" | "names";
  readonly text: string;
  readonly advice: readonly string[];
}

const BUILT_IN_APPLIES = [
  "no contract here, so the Sophia platform's built-in one applies",
  "start your own with sophia-run init, or use none: --no-contract",
] as const;
/** The limit on violations with a message of their own. Of more violations, only the names are shown. */
const MAX_MESSAGES = 8;
/** The limits on the details of a failure of ESC that are shown: lines, and characters of a line. */
const MAX_DETAILS = 2;
const MAX_DETAIL_LENGTH = 150;

/**
 * Returns how `sophia-run set` would get a value here: it asks at a terminal, and otherwise reads the standard input. Without a
 * token it works only at a terminal, where it asks for one.
 */
export function setOffer({ environment, isTerminal }: Pick<Context, "environment" | "isTerminal">): SetOffer {
  if (isTerminal(0) && isTerminal(2)) return "asks";
  return (environment.get(ADMIN_TOKEN) ?? "") === "" ? "asks" : "reads";
}

/**
 * Explains an unmet contract, for reports.
 *
 * @param width the width of the lines with commands
 * @param unreadLines the lines of `unreadFileLines`
 */
export function explainUnmet(
  start: Start,
  width: number,
  offer: SetOffer,
  unreadLines: readonly string[] = [],
): UnmetReport {
  const {
    store: { esc },
    verdict: { violations },
  } = start;
  const wordings = describeViolationsOf(violations.slice(0, MAX_SHOWN), start);
  if (hasNoContract(start)) {
    // The absence of a contract is the only violation then.
    const [{ message, advice } = { message: "", advice: [] }] = wordings;
    return { findings: [{ kind: "violation", text: message, advice: [] }], remedy: advice };
  }
  const omitted = countOmitted(violations.length - wordings.length);
  const missingValues = wordings.flatMap(({ supply }) => supply);
  const { shared, alone } = sharedCorrections(wordings.flatMap(({ wrong }) => wrong ?? []));
  const toFinding = ({ message, advice, wrong }: Wording): Finding => {
    // The corrections of several wrong values in one file are joined below all violations.
    const corrections = wrong === undefined || !alone.has(wrong) ? [] : [correctionOf(wrong)];
    return { kind: "violation", text: message, advice: [...limitLines(advice, MAX_SHOWN), ...corrections] };
  };
  const compacted = (): readonly Finding[] => [...compactFindings(wordings, start, toFinding), ...omitted];
  // If a schema in ESC refuses its values, these are known well enough to be judged, and ESC is not the cause.
  const hasJudgedValues = start.verdict.judged !== undefined;
  if ((esc.kind === "unavailable" && !hasJudgedValues) || esc.kind === "refused") {
    const temporaryRemedy =
      esc.kind === "refused"
        ? ["until then, set the missing variables in the environment", describeUseOfFiles(esc.settings)]
        : ["until then, set the missing variables in the environment or in .env"];
    return {
      cause: describeCause(esc.failure),
      findings: compacted(),
      remedy: [...shared, ...unreadLines, ...temporaryRemedy],
    };
  }
  const builtIn: Pick<UnmetReport, "builtInApplies"> =
    start.files.contract.source.kind === "built-in" ? { builtInApplies: BUILT_IN_APPLIES } : {};
  const remedy = [...shared, ...unreadLines, ...sharedRemedy(missingValues, width, offer)];
  const findings = wordings.length > MAX_MESSAGES ? compacted() : wordings.map(toFinding);
  // Invalid and withheld values are not missing because of ESC.
  if (missingValues.length === 0) return { ...builtIn, findings, remedy };
  // A task runner may not have passed on the settings for ESC.
  const adviceForRunner = runnerAdvice(start.values.resolution);
  const advice = adviceForRunner === undefined ? [] : [adviceForRunner];
  if (esc.kind === "off" && builtIn.builtInApplies === undefined) {
    return { findings, remedy, postscript: advice, lacksEsc: true };
  }
  const cause = describeUncontactedEsc(start);
  if (cause === undefined) return { ...builtIn, findings, remedy };
  return { ...builtIn, cause: [...cause, ...advice], findings, remedy };
}

/** Returns a line that counts the violations which are not shown; none if all are shown. */
function countOmitted(omittedCount: number): readonly Finding[] {
  if (omittedCount <= 0) return [];
  const text = `and ${count(omittedCount, "violation")} more; sophia-run check --json lists all`;
  return [{ kind: "names", text, advice: [] }];
}

/** Describes that ESC itself refuses its values, so that no program can be started with them. */
function describeRefusedValues({ store: { esc } }: Pick<Start, "store">): string {
  const names = "rejected" in esc ? (esc.rejected?.environments ?? []).map(({ name }) => name) : [];
  return `until then, ESC opens ${enumerateFew(names.map(printable), MAX_DETAILS)} for no program: a schema in it refuses the values`;
}

/** Task runners that do not pass on the whole environment: a variable that the runner sets, and how the user makes it pass on more. */
const RUNNERS: readonly (readonly [variable: string, advice: string])[] = [
  ["TURBO_HASH", 'Turborepo passes on what turbo.json names: "globalPassThroughEnv": ["ESC_*"]'],
  ["NX_TASK_TARGET_PROJECT", "agents of Nx Cloud pass on what they are told: --with-env-vars=ESC_ENV,ESC_TOKEN"],
];

/** Returns the advice for the task runner that runs this process, which may not have passed on the settings for ESC. */
export function runnerAdvice(resolution: Resolution): string | undefined {
  return RUNNERS.find(([variable]) => resolution.has(variable))?.[1];
}

/** Returns the reason why ESC was not contacted, with its remedies; undefined if it was contacted or need not be. */
function describeUncontactedEsc({
  environment,
  files: { contract },
  store: { esc },
}: Start): readonly [string, ...string[]] | undefined {
  switch (esc.kind) {
    case "off":
      return ["ESC is not configured: set ESC_ENV and ESC_TOKEN", ...pulumiTokenRemedy("ESC_TOKEN", environment)];
    case "incomplete":
      return [
        `ESC is not read: ${esc.present} is set but ${esc.missing} is not`,
        ...pulumiTokenRemedy(esc.missing, environment),
        ...(esc.isByContract === true ? ["on your own machine: pulumi login, then sophia-run login"] : []),
      ];
    case "unconsented":
      return unallowedWords(unallowed(esc, contract));
    case "fake":
    case "read":
    case "unavailable":
    case "refused":
      return undefined;
  }
}

/** Returns the message of a failure, its hint, and the first of its details, which are shortened. */
function describeCause({ message, hint, details = [] }: Failure): readonly [string, ...string[]] {
  const shortDetails = details.map((line) =>
    line.length > MAX_DETAIL_LENGTH ? `${line.slice(0, MAX_DETAIL_LENGTH)}…` : line,
  );
  return [message, ...(hint === undefined ? [] : [hint]), ...limitLines(shortDetails, MAX_DETAILS)];
}

/**
 * Lists missing variables by name, several on a line. Other violations, and variables whose names may be misspelt, keep a message
 * of their own.
 */
function compactFindings(
  wordings: readonly Wording[],
  start: Start,
  toFinding: (wording: Wording) => Finding,
): readonly Finding[] {
  const values = judgedValues(start);
  const describeWithholding = createWithholdingDescriber({ ...start, values });
  const describeEmptyValue = createEmptyValueDescriber({ values });
  const unsetNames: string[] = [];
  const emptyNames: string[] = [];
  const groupLines: string[] = [];
  /** The names of withheld variables, by the reason for withholding them. */
  const namesByReason = new Map<string, string[]>();
  const otherWordings = wordings.filter(({ violation, advice }) => {
    const { kind } = violation;
    if (advice.length > 0 || (kind !== "none-set" && kind !== "missing" && kind !== "missing-when")) return true;
    const missingNames = namesOfViolation(violation);
    let hasWithheld = false;
    for (const name of missingNames) {
      const reason = describeWithholding(name);
      if (reason === undefined) continue;
      hasWithheld = true;
      namesByReason.set(reason, [...(namesByReason.get(reason) ?? []), name]);
    }
    if (hasWithheld) return false;
    const [firstName] = missingNames;
    // Several names: the contract demands that one of them is set.
    if (firstName === undefined || missingNames.length > 1)
      groupLines.push(`none set: ${enumerateFew(missingNames, MAX_SHOWN, "or")}`);
    else if (describeEmptyValue(firstName) === undefined) unsetNames.push(firstName);
    else emptyNames.push(firstName);
    return false;
  });
  const lines = [
    ...(unsetNames.length === 0 ? [] : [`not set: ${unsetNames.join(", ")}`]),
    ...(emptyNames.length === 0 ? [] : [`empty: ${emptyNames.join(", ")}`]),
    ...groupLines,
    ...Array.from(namesByReason, ([reason, names]) => `${reason}: ${limitLines(names, MAX_SHOWN).join(", ")}`),
  ];
  return [...lines.map((text): Finding => ({ kind: "names", text, advice: [] })), ...otherWordings.map(toFinding)];
}

/** Notices that the message leaves out: the first two are its cause, and the permissions of a file can wait. */
const OMITTED_NOTICES: ReadonlySet<Notice["kind"]> = new Set(["esc-incomplete", "environment-not-allowed", "exposed"]);

/** Returns true unless `--quiet` suppresses the notice, or the message leaves it out. */
function isPrinted(notice: Notice, quiet: boolean): boolean {
  return !OMITTED_NOTICES.has(notice.kind) && !(quiet && isInformation(notice));
}

/** The limit on the lines of a message with its notices. */
const MAX_MESSAGE_LINES = 15;

/** Returns the lines of as many notices as fit below a message, remarks last. `check` shows all notices. */
function fittingNoticeLines(notices: readonly Notice[], message: readonly [string, ...string[]]): readonly string[] {
  const isRemark = ({ kind }: Notice): boolean => kind === "remark";
  const ordered = [...notices.filter((notice) => !isRemark(notice)), ...notices.filter(isRemark)];
  const lines: string[] = [];
  for (const [index, notice] of ordered.entries()) {
    const noticeLines = describeNotice(notice);
    const remaining = ordered.length - index;
    // If further notices follow, one line must remain that counts them.
    const reservedLines = remaining > 1 ? 1 : 0;
    if (heightOf([...message, ...lines, ...noticeLines]) + reservedLines > MAX_MESSAGE_LINES) {
      return [...lines, `and ${count(remaining, index === 0 ? "notice" : "further notice")}`];
    }
    lines.push(...noticeLines);
  }
  return lines;
}

interface UnmetMessageOptions {
  /** The consequence for the user: `node was not started`. */
  readonly consequence: string;
  /** How the user can go on without the contract. */
  readonly wayOut: string;
  readonly quiet: boolean;
  readonly offer: SetOffer;
  /** The lines of `unreadFileLines`. */
  readonly unread?: readonly string[];
  /** True if a program already runs with the same contract, so that the built-in one needs no explanation. */
  readonly isRunning?: boolean;
}

/** Returns an unmet contract as a failure. Notices are added as long as the message has at most 15 lines. */
export function describeUnmet(
  start: Start,
  { consequence, wayOut, quiet, offer, unread, isRunning = false }: UnmetMessageOptions,
): Failure {
  const unmet = explainUnmet(start, FURTHER_WIDTH, offer, unread);
  if (hasNoContract(start)) {
    const [absent] = unmet.findings;
    const message = `${absent?.text ?? ""}; ${printable(consequence)}`;
    return { code: "contract-missing", message, details: [...unmet.remedy, wayOut] };
  }
  const { cause = [], findings, remedy } = unmet;
  const builtInApplies = isRunning ? [] : (unmet.builtInApplies ?? []);
  const amount = count(start.verdict.violations.length, "violation");
  const head = `the contract is not met (${amount}); ${printable(consequence)}`;
  // The cause, if one is known, is the first line in place of the head.
  const [message = head, ...rest] = [...builtInApplies, ...cause, head];
  const named = namedContract(start.settings);
  const option = named === undefined ? "" : unbroken(` --contract ${shellWord(named)}`);
  const details = [
    ...rest,
    ...findings.flatMap(({ kind, text, advice }) => [
      kind === "violation" ? `✗ ${text}` : text,
      ...advice.map((line) => `  ${line}`),
    ]),
    ...remedy,
  ];
  // If ESC itself refuses the values, a start without the contract would not get them either.
  const refusedValues = start.verdict.judged === undefined || isRunning ? [] : [describeRefusedValues(start)];
  const wayOutIfAny = refusedValues.length > 0 ? "" : `; ${wayOut}`;
  const lastDetails = [
    ...refusedValues,
    ...(builtInApplies.length > 0 ? [] : [`sophia-run check${option} shows the whole configuration${wayOutIfAny}`]),
    ...(unmet.postscript ?? []),
  ];
  const notices = start.verdict.notices.filter((notice) => isPrinted(notice, quiet));
  const shown = fittingNoticeLines(notices, [message, ...details, ...lastDetails]);
  return { code: "contract-unmet", message, details: [...details, ...shown, ...lastDetails] };
}
