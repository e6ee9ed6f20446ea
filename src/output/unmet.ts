/**
 * Explains to the user that the program's configuration does not meet the contract. The cause comes first, then the violations, then
 * the remedy. A start that is refused prints the explanation as its failure (`describeUnmet`), `check` as a part of its report
 * (`explainUnmet`):
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
import { createUnallowedFacts, describeUnallowed } from "../access/consent-words.ts";
import { createEmptyValueDescriber } from "./unset-values.ts";
import { createWithholdingDescriber } from "./withheld-words.ts";
import { describeNotice, isInformation, describeUseOfFiles } from "./notice-words.ts";
import { FURTHER_WIDTH, heightOf } from "./stderr.ts";
import { MAX_SHOWN, namedContract, describeViolationsOf } from "./violations.ts";

/** The parts of the explanation. Their lines are not wrapped yet. */
export interface UnmetReport {
  /** Present if the built-in contract applies: the reason, and two remedies. Absent if a failure of ESC is the cause. */
  readonly builtInApplies?: readonly [string, string];
  /** The reason why ESC gave no values, with the remedy and the service's own words; absent if that is not the cause. */
  readonly cause?: readonly [string, ...string[]];
  readonly findings: readonly Finding[];
  /** Lines that begin with spaces belong to a command, and are not wrapped. */
  readonly remedy: readonly string[];
  /** The last lines: how a task runner passes on the settings for ESC. */
  readonly postscript?: readonly string[];
  /** Set if a value is missing and ESC is not configured. Only reports mention it, because a project need not use ESC. */
  readonly lacksEsc?: true;
}

/** One violation with its advice, or one line with the names of several variables. */
interface Finding {
  readonly kind: "violation" | "names";
  readonly text: string;
  readonly advice: readonly string[];
}

const BUILT_IN_APPLIES = [
  "no contract here, so the Sophia platform's built-in one applies",
  "start your own with sophia-run init, or use none: --no-contract",
] as const;
/** If there are more violations, missing variables have no message of their own, and only their names are listed. */
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
  const { violations } = start.verdict;
  const wordings = describeViolationsOf(violations.slice(0, MAX_SHOWN), start);
  if (hasNoContract(start)) {
    // The absence of a contract is the only violation then.
    const [{ message, advice } = { message: "", advice: [] }] = wordings;
    return { findings: [{ kind: "violation", text: message, advice: [] }], remedy: advice };
  }
  const { shared: corrections, alone } = sharedCorrections(wordings.flatMap(({ wrong }) => wrong ?? []));
  const toFinding = ({ message, advice, wrong }: Wording): Finding => {
    // If one file has several wrong values, their corrections are joined in one line, which follows all violations.
    const ownCorrection = wrong === undefined || !alone.has(wrong) ? [] : [correctionOf(wrong)];
    return { kind: "violation", text: message, advice: [...limitLines(advice, MAX_SHOWN), ...ownCorrection] };
  };
  const compact = (): readonly Finding[] => [
    ...compactFindings(wordings, start, toFinding),
    ...countOmitted(violations.length - wordings.length),
  ];
  const escFailure = findEscFailure(start);
  if (escFailure !== undefined) {
    return {
      cause: describeCause(escFailure.failure),
      findings: compact(),
      remedy: [...corrections, ...unreadLines, ...describeTemporaryRemedy(escFailure)],
    };
  }
  const isBuiltIn = start.files.contract.source.kind === "built-in";
  const missingValues = wordings.flatMap(({ supply }) => supply);
  const report: UnmetReport = {
    ...(isBuiltIn ? { builtInApplies: BUILT_IN_APPLIES } : {}),
    findings: wordings.length > MAX_MESSAGES ? compact() : wordings.map(toFinding),
    remedy: [...corrections, ...unreadLines, ...sharedRemedy(missingValues, width, offer)],
  };
  // Invalid and withheld values are not missing because of ESC.
  if (missingValues.length === 0) return report;
  const adviceForRunner = runnerAdvice(start.values.resolution);
  const postscript = adviceForRunner === undefined ? [] : [adviceForRunner];
  if (start.store.esc.kind === "off" && !isBuiltIn) return { ...report, postscript, lacksEsc: true };
  const cause = describeUncontactedEsc(start);
  return cause === undefined ? report : { ...report, cause: [...cause, ...postscript] };
}

type FailedEsc = Extract<Start["store"]["esc"], { readonly kind: "unavailable" | "refused" }>;

/** Returns the failed reading of ESC if variables may be missing because of it. */
function findEscFailure({ store: { esc }, verdict: { judged } }: Start): FailedEsc | undefined {
  if (esc.kind === "refused") return esc;
  // If a schema in ESC refuses values, ESC reports enough about them for the check. Then the failure is not the cause.
  return esc.kind === "unavailable" && judged === undefined ? esc : undefined;
}

/** Describes how the user can start the program until ESC can be read. */
function describeTemporaryRemedy(esc: FailedEsc): readonly string[] {
  if (esc.kind === "unavailable") return ["until then, set the missing variables in the environment or in .env"];
  return ["until then, set the missing variables in the environment", describeUseOfFiles(esc.settings)];
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

/** Task runners that pass on only some variables: a variable that the runner sets, and how the user makes it pass on more. */
const RUNNERS: readonly (readonly [variable: string, advice: string])[] = [
  ["TURBO_HASH", 'Turborepo passes on what turbo.json names: "globalPassThroughEnv": ["ESC_*"]'],
  ["NX_TASK_TARGET_PROJECT", "agents of Nx Cloud pass on what they are told: --with-env-vars=ESC_ENV,ESC_TOKEN"],
];

/** Returns the advice for the task runner that runs this process, which may not have passed on the settings for ESC. */
export function runnerAdvice(resolution: Resolution): string | undefined {
  return RUNNERS.find(([variable]) => resolution.has(variable))?.[1];
}

/** Returns the reason why ESC was not contacted, with the remedies; undefined if it was contacted, or with `--fake`. */
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
      return describeUnallowed(createUnallowedFacts(esc, contract));
    case "fake":
    case "read":
    case "unavailable":
    case "refused":
      return undefined;
  }
}

/** Returns the message of a failure, the hint, and the first details, which are shortened. */
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
  const missingNames = new MissingNames(start);
  const otherFindings: Finding[] = [];
  for (const wording of wordings) {
    const { violation, advice } = wording;
    const isAboutMissing =
      violation.kind === "missing" || violation.kind === "missing-when" || violation.kind === "none-set";
    if (isAboutMissing && advice.length === 0) missingNames.add(namesOfViolation(violation));
    else otherFindings.push(toFinding(wording));
  }
  return [...missingNames.lines().map((text): Finding => ({ kind: "names", text, advice: [] })), ...otherFindings];
}

/** Collects the names of missing variables, and returns them as lines such as `not set: API_KEY, DATABASE_URL`. */
class MissingNames {
  readonly #describeWithholding: (name: string) => string | undefined;
  readonly #describeEmptyValue: (name: string) => string | undefined;
  readonly #unset: string[] = [];
  readonly #empty: string[] = [];
  /** A line for each rule that demands at least one of several variables. */
  readonly #ruleLines: string[] = [];
  /** Variables that a source sets, and that the program does not get, by the reason why. */
  readonly #withheldByReason = new Map<string, string[]>();

  constructor(start: Start) {
    const values = judgedValues(start);
    this.#describeWithholding = createWithholdingDescriber({ ...start, values });
    this.#describeEmptyValue = createEmptyValueDescriber({ values });
  }

  /** Adds the variables of one violation. Several names mean that the contract demands one of them. */
  add(names: readonly string[]): void {
    if (this.#addWithheld(names)) return;
    const [name] = names;
    if (name === undefined || names.length > 1) {
      this.#ruleLines.push(`none set: ${enumerateFew(names, MAX_SHOWN, "or")}`);
    } else (this.#describeEmptyValue(name) === undefined ? this.#unset : this.#empty).push(name);
  }

  /** Adds those of the names that are withheld. @returns true if there is one, which then explains the violation */
  #addWithheld(names: readonly string[]): boolean {
    let hasWithheld = false;
    for (const name of names) {
      const reason = this.#describeWithholding(name);
      if (reason === undefined) continue;
      hasWithheld = true;
      this.#withheldByReason.set(reason, [...(this.#withheldByReason.get(reason) ?? []), name]);
    }
    return hasWithheld;
  }

  lines(): readonly string[] {
    const line = (label: string, names: readonly string[]): readonly string[] =>
      names.length === 0 ? [] : [`${label}: ${limitLines(names, MAX_SHOWN).join(", ")}`];
    return [
      ...line("not set", this.#unset),
      ...line("empty", this.#empty),
      ...this.#ruleLines,
      ...Array.from(this.#withheldByReason).flatMap(([reason, names]) => line(reason, names)),
    ];
  }
}

/** Notices that the message leaves out: its cause has the facts of the first two, and a world-readable file (`exposed`) can wait. */
const OMITTED_NOTICES: ReadonlySet<Notice["kind"]> = new Set(["esc-incomplete", "environment-not-allowed", "exposed"]);

/** Returns true unless `--quiet` suppresses the notice, or the message leaves it out. */
function isPrinted(notice: Notice, quiet: boolean): boolean {
  return !OMITTED_NOTICES.has(notice.kind) && !(quiet && isInformation(notice));
}

/** The limit on the lines of a message with its notices, so that the cause stays visible in a small terminal. */
const MAX_MESSAGE_LINES = 15;

/** Returns the lines of as many notices as fit below a message. Remarks come last. `check` shows all notices. */
function linesOfNotices(notices: readonly Notice[], message: readonly [string, ...string[]]): readonly string[] {
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
  const builtInApplies = isRunning ? [] : (unmet.builtInApplies ?? []);
  const amount = count(start.verdict.violations.length, "violation");
  const head = `the contract is not met (${amount}); ${printable(consequence)}`;
  // If a cause is known, it is the message, and the head is its last detail.
  const [message = head, ...furtherCause] = [...builtInApplies, ...(unmet.cause ?? []), head];
  const details = [...furtherCause, ...unmet.findings.flatMap(findingLines), ...unmet.remedy];
  // If ESC itself refuses the values, a start without the contract would not get them either.
  const isRefusedByEsc = start.verdict.judged !== undefined && !isRunning;
  const lastDetails = [
    ...(isRefusedByEsc ? [describeRefusedValues(start)] : []),
    ...(builtInApplies.length > 0 ? [] : [describeCheck(start) + (isRefusedByEsc ? "" : `; ${wayOut}`)]),
    ...(unmet.postscript ?? []),
  ];
  const notices = start.verdict.notices.filter((notice) => isPrinted(notice, quiet));
  const noticeLines = linesOfNotices(notices, [message, ...details, ...lastDetails]);
  return { code: "contract-unmet", message, details: [...details, ...noticeLines, ...lastDetails] };
}

function findingLines({ kind, text, advice }: Finding): readonly string[] {
  return [kind === "violation" ? `✗ ${text}` : text, ...advice.map((line) => `  ${line}`)];
}

/** Names the command that shows the values of all variables, for the contract of this start. */
function describeCheck({ settings }: Start): string {
  const contractFile = namedContract(settings);
  const option = contractFile === undefined ? "" : unbroken(` --contract ${shellWord(contractFile)}`);
  return `sophia-run check${option} shows the whole configuration`;
}
