/** Messages for a contract that is not met: the cause first, then the violations, then the remedy. */
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
import { emptyWords } from "./unset-values.ts";
import { withheldWords } from "./withheld-words.ts";
import { describeNotice, isInformation, workLocally } from "./notice-words.ts";
import { FURTHER_WIDTH, heightOf } from "./stderr.ts";
import { MAX_SHOWN, namedContract, wordViolations } from "./violations.ts";

/** The parts of the message, not wrapped, for `check`, launches and exports. */
export interface Unmet {
  /** If the built-in contract applies: the reason and two remedies. Absent if ESC fails, which is then the cause. */
  readonly unwritten?: readonly [string, string];
  /** The failure of ESC, if variables may be missing because of it, with the remedy and the service's own words. */
  readonly cause?: readonly [string, ...string[]];
  readonly findings: readonly Finding[];
  /** Lines that begin with spaces belong to a command, and are not wrapped. */
  readonly remedy: readonly string[];
  /** The last lines: what a task runner may have dropped. */
  readonly postscript?: readonly string[];
  /** A value is missing, and ESC is not configured. A project need not use it, so that only reports mention it. */
  readonly lacksEsc?: true;
}

interface Finding {
  readonly kind: "violation" | "names";
  readonly text: string;
  readonly advice: readonly string[];
}

const UNWRITTEN = [
  "no contract here, so the Sophia platform's built-in one applies",
  "start your own with sophia-run init, or use none: --no-contract",
] as const;
/** Limit of violations with a message each; of more, only the names are shown. */
const MOST_LINES = 8;
const MAX_DETAILS = 2;
const DETAIL_LENGTH = 150;

/** Returns how `sophia-run set` would get a value here. Without a token it only works at a terminal, which asks for one. */
export function setOffer({ environment, isTerminal }: Pick<Context, "environment" | "isTerminal">): SetOffer {
  if (isTerminal(0) && isTerminal(2)) return "asks";
  return (environment.get(ADMIN_TOKEN) ?? "") === "" ? "asks" : "reads";
}

/**
 * Explains an unmet contract, for reports.
 *
 * @param width of the lines with commands
 * @param unread the lines of `unreadFileLines`
 */
export function explainUnmet(start: Start, width: number, offer: SetOffer, unread: readonly string[] = []): Unmet {
  const {
    store: { esc },
    verdict: { violations },
  } = start;
  const wordings = wordViolations(violations.slice(0, MAX_SHOWN), start);
  if (hasNoContract(start)) {
    const [{ message, advice } = { message: "", advice: [] }] = wordings;
    return { findings: [{ kind: "violation", text: message, advice: [] }], remedy: advice };
  }
  const left = violations.length - wordings.length;
  const rest: readonly Finding[] =
    left > 0
      ? [{ kind: "names", text: `and ${count(left, "violation")} more; sophia-run check --json lists all`, advice: [] }]
      : [];
  const supply = wordings.flatMap((one) => one.supply);
  const { shared, alone } = sharedCorrections(wordings.flatMap(({ wrong }) => wrong ?? []));
  const asFinding = ({ message, advice, wrong }: Wording): Finding => {
    const own = wrong === undefined || !alone.has(wrong) ? [] : [correctionOf(wrong)];
    return { kind: "violation", text: message, advice: [...limitLines(advice, MAX_SHOWN), ...own] };
  };
  const compacted = (): readonly Finding[] => [...compact(wordings, start, asFinding), ...rest];
  // The values of ESC are known well enough to name what they lack.
  const isJudged = start.verdict.judged !== undefined;
  if ((esc.kind === "unavailable" && !isJudged) || esc.kind === "refused") {
    const meanwhile =
      esc.kind === "refused"
        ? ["until then, set the missing variables in the environment", workLocally(esc.settings)]
        : ["until then, set the missing variables in the environment or in .env"];
    return { cause: causeOf(esc.failure), findings: compacted(), remedy: [...shared, ...unread, ...meanwhile] };
  }
  const unwritten: Pick<Unmet, "unwritten"> =
    start.files.contract.source.kind === "built-in" ? { unwritten: UNWRITTEN } : {};
  const remedy = [...shared, ...unread, ...sharedRemedy(supply, width, offer)];
  const findings = wordings.length > MOST_LINES ? compacted() : wordings.map(asFinding);
  // Invalid and withheld values are not missing because of ESC.
  if (supply.length === 0) return { ...unwritten, findings, remedy };
  // A task runner may have dropped the settings of ESC.
  const advice = [runnerAdvice(start.values.resolution)].filter((one) => one !== undefined);
  if (esc.kind === "off" && unwritten.unwritten === undefined) {
    return { findings, remedy, postscript: advice, lacksEsc: true };
  }
  const cause = notAsked(start);
  if (cause === undefined) return { ...unwritten, findings, remedy };
  return { ...unwritten, cause: [...cause, ...advice], findings, remedy };
}

/** Says that ESC itself refuses the values. */
function rejectedWords({ store: { esc } }: Pick<Start, "store">): string {
  const names = "rejected" in esc ? (esc.rejected?.environments ?? []).map(({ name }) => name) : [];
  return `until then, ESC opens ${enumerateFew(names.map(printable), MAX_DETAILS)} for no program: a schema in it refuses the values`;
}

/** Variables that tools set for scripts to which they do not pass on the whole environment, and how they are told to. */
const RUNNERS: readonly (readonly [variable: string, advice: string])[] = [
  ["TURBO_HASH", 'Turborepo passes on what turbo.json names: "globalPassThroughEnv": ["ESC_*"]'],
  ["NX_TASK_TARGET_PROJECT", "agents of Nx Cloud pass on what they are told: --with-env-vars=ESC_ENV,ESC_TOKEN"],
];

/** Returns the advice of the tool that started this script, if the settings of ESC may have been lost on the way. */
export function runnerAdvice(resolution: Resolution): string | undefined {
  return RUNNERS.find(([variable]) => resolution.has(variable))?.[1];
}

/** Returns the reason for which ESC was not asked, perhaps with the remedy. */
function notAsked({
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

function causeOf({ message, hint, details = [] }: Failure): readonly [string, ...string[]] {
  const cut = details.map((one) => (one.length > DETAIL_LENGTH ? `${one.slice(0, DETAIL_LENGTH)}…` : one));
  return [message, ...(hint === undefined ? [] : [hint]), ...limitLines(cut, MAX_DETAILS)];
}

/** Lists missing names, several on a line; other violations, and names that may be misspelt, stay as they are. */
function compact(
  wordings: readonly Wording[],
  start: Start,
  asFinding: (wording: Wording) => Finding,
): readonly Finding[] {
  const values = judgedValues(start);
  const why = withheldWords({ ...start, values });
  const emptyOf = emptyWords({ values });
  const names: string[] = [];
  const emptyNames: string[] = [];
  const groups: string[] = [];
  const withheldNames = new Map<string, string[]>();
  const otherWordings = wordings.filter(({ violation, advice }) => {
    const { kind } = violation;
    if (advice.length > 0 || (kind !== "none-set" && kind !== "missing" && kind !== "missing-when")) return true;
    const wanted = namesOfViolation(violation);
    const withheld = wanted.filter((name) => why(name) !== undefined);
    for (const name of withheld) {
      const words = why(name) ?? "";
      withheldNames.set(words, [...(withheldNames.get(words) ?? []), name]);
    }
    if (withheld.length > 0) return false;
    if (wanted.length === 1) for (const name of wanted) (emptyOf(name) === undefined ? names : emptyNames).push(name);
    else groups.push(`none set: ${enumerateFew(wanted, MAX_SHOWN, "or")}`);
    return false;
  });
  const lines = [
    ...(names.length === 0 ? [] : [`not set: ${names.join(", ")}`]),
    ...(emptyNames.length === 0 ? [] : [`empty: ${emptyNames.join(", ")}`]),
    ...groups,
    ...Array.from(withheldNames, ([words, list]) => `${words}: ${limitLines(list, MAX_SHOWN).join(", ")}`),
  ];
  return [...lines.map((text): Finding => ({ kind: "names", text, advice: [] })), ...otherWordings.map(asFinding)];
}

const CAUSES: ReadonlySet<Notice["kind"]> = new Set(["esc-incomplete", "environment-not-allowed", "exposed"]);

/** Leaves out why ESC was not asked, which is printed as the cause, and permissions, which can wait. */
function isPrinted(notice: Notice, quiet: boolean): boolean {
  return !CAUSES.has(notice.kind) && !(quiet && isInformation(notice));
}

const MAX_TOTAL = 15;

/** Returns as many notices as fit below a message, remarks last. `check` shows all of them. */
function noticeLines(notices: readonly Notice[], message: readonly [string, ...string[]]): readonly string[] {
  const isRemark = ({ kind }: Notice): boolean => kind === "remark";
  const ordered = [...notices.filter((notice) => !isRemark(notice)), ...notices.filter(isRemark)];
  const lines: string[] = [];
  for (const [index, notice] of ordered.entries()) {
    const ownLines = describeNotice(notice);
    const left = ordered.length - index;
    if (heightOf([...message, ...lines, ...ownLines]) + (left > 1 ? 1 : 0) > MAX_TOTAL) {
      return [...lines, `and ${count(left, index === 0 ? "notice" : "further notice")}`];
    }
    lines.push(...ownLines);
  }
  return lines;
}

interface Outcome {
  readonly consequence: string;
  readonly wayOut: string;
  readonly quiet: boolean;
  readonly offer: SetOffer;
  /** The lines of `unreadFileLines`. */
  readonly unread?: readonly string[];
  /** A program runs with the same contract: the built-in one needs no explanation. */
  readonly isRunning?: boolean;
}

/** Words an unmet contract as a failure. Notices are added as long as the message has at most 15 lines. */
export function wordUnmet(
  start: Start,
  { consequence, wayOut, quiet, offer, unread, isRunning = false }: Outcome,
): Failure {
  const unmet = explainUnmet(start, FURTHER_WIDTH, offer, unread);
  if (hasNoContract(start)) {
    const [absent] = unmet.findings;
    const message = `${absent?.text ?? ""}; ${printable(consequence)}`;
    return { code: "contract-missing", message, details: [...unmet.remedy, wayOut] };
  }
  const { cause = [], findings, remedy } = unmet;
  const unwritten = isRunning ? [] : (unmet.unwritten ?? []);
  const amount = count(start.verdict.violations.length, "violation");
  const head = `the contract is not met (${amount}); ${printable(consequence)}`;
  const [message = head, ...rest] = [...unwritten, ...cause, head];
  const named = namedContract(start.settings);
  const option = named === undefined ? "" : unbroken(` --contract ${shellWord(named)}`);
  const details = [
    ...rest,
    ...findings.flatMap(({ kind, text, advice }) => [
      kind === "violation" ? `✗ ${text}` : text,
      ...advice.map((one) => `  ${one}`),
    ]),
    ...remedy,
  ];
  // Without the contract, ESC would not open either.
  const rejected = start.verdict.judged === undefined || isRunning ? [] : [rejectedWords(start)];
  const lastDetails = [
    ...rejected,
    ...(unwritten.length > 0
      ? []
      : [`sophia-run check${option} shows the whole configuration${rejected.length > 0 ? "" : `; ${wayOut}`}`]),
    ...(unmet.postscript ?? []),
  ];
  const notices = start.verdict.notices.filter((notice) => isPrinted(notice, quiet));
  const shown = noticeLines(notices, [message, ...details, ...lastDetails]);
  return { code: "contract-unmet", message, details: [...details, ...shown, ...lastDetails] };
}
