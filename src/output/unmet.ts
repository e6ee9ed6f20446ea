/** A contract that is not met, in words: the cause first, then what is missing, then what to do. */
import { correctionOf, sharedCorrections, sharedRemedy } from "../contract/remedies.ts";
import type { Wording } from "../contract/wording.ts";
import type { Failure, Notice } from "../core/model.ts";
import { wrap } from "../core/lines.ts";
import { count, enumerate, printable } from "../core/text.ts";
import type { Assessment, EscStatus } from "../resolve/assessment.ts";
import { withheldWords } from "../resolve/withheld.ts";
import { describeNotice, isInformation, workLocally } from "./notices.ts";
import { wordAssessed } from "./violations.ts";

/** The parts, without marks and not wrapped; `check` and a launch that failed tell the same. */
export interface Unmet {
  /**
   * Which contract applies and the two ways on, if the user has written none and so may not know of any. Absent if ESC
   * fails, which is the cause then.
   */
  readonly unwritten?: readonly [string, string];
  /** What is wrong with ESC, where that may be why something is missing: the fault, what to do, what the service says. */
  readonly cause?: readonly [string, ...string[]];
  /** `5 violations`. */
  readonly amount: string;
  readonly findings: readonly Finding[];
  /** What to do about them. Lines that begin with spaces belong to a command and are not to be wrapped. */
  readonly remedy: readonly string[];
}

export interface Finding {
  /** A rule that is not met, or the names that are missing because ESC is. */
  readonly kind: "violation" | "names";
  readonly text: string;
  readonly advice: readonly string[];
}

const UNWRITTEN = [
  "no contract here, so the Sophia platform's built-in one applies",
  "start your own with sophia-run init, or use none: --no-contract",
] as const;
/** More violations than these are told by their names, so that the message stays short. */
const MOST_LINES = 8;
/** Of what the service says about a definition, in a failure that has more to tell. */
const MAX_DETAILS = 2;
const DETAIL_LENGTH = 150;

/** @param width columns that a line of a command may have */
export function explainUnmet(assessment: Assessment, width: number): Unmet {
  const { esc, violations } = assessment;
  const wordings = wordAssessed(assessment);
  const amount = count(violations.length, "violation");
  const supply = wordings.flatMap((one) => one.supply);
  const { shared, alone } = sharedCorrections(wordings.flatMap(({ wrong }) => wrong ?? []));
  const asFinding = ({ message, advice, wrong }: Wording): Finding => {
    const own = wrong === undefined || !alone.has(wrong) ? [] : [correctionOf(wrong)];
    return { kind: "violation", text: message, advice: [...advice, ...own] };
  };
  const compacted = (): readonly Finding[] => {
    const { missing, others } = compact(wordings, assessment);
    return [...missing, ...others.map(asFinding)];
  };
  if (esc.kind === "unavailable" || esc.kind === "refused") {
    const meanwhile =
      esc.kind === "refused"
        ? ["until then set what is missing in the environment", workLocally(esc.settings)]
        : ["until then set what is missing in the environment or in .env"];
    return { cause: causeOf(esc.failure), amount, findings: compacted(), remedy: [...shared, ...meanwhile] };
  }
  const unwritten = assessment.contract.source.kind === "built-in" ? { unwritten: UNWRITTEN } : {};
  const remedy = [...shared, ...sharedRemedy(supply, width)];
  const findings = wordings.length > MOST_LINES ? compacted() : wordings.map(asFinding);
  // What is wrong or withheld is not missing because of ESC.
  const cause = supply.length > 0 ? notConfigured(esc) : undefined;
  return { ...unwritten, ...(cause === undefined ? {} : { cause: [cause] }), amount, findings, remedy };
}

function notConfigured(esc: EscStatus): string | undefined {
  if (esc.kind === "off") return "ESC is not configured: set ESC_ENV and ESC_TOKEN";
  if (esc.kind !== "incomplete") return undefined;
  return `ESC is not read: ${esc.present} is set but ${esc.missing} is not`;
}

function causeOf({ message, hint, details = [] }: Failure): readonly [string, ...string[]] {
  const left = details.length - MAX_DETAILS;
  return [
    message,
    ...(hint === undefined ? [] : [hint]),
    ...details
      .slice(0, MAX_DETAILS)
      .map((one) => (one.length > DETAIL_LENGTH ? `${one.slice(0, DETAIL_LENGTH)}…` : one)),
    ...(left > 0 ? [`and ${left} more`] : []),
  ];
}

/** The names that are missing, several on a line; what is wrong for another reason, or perhaps misspelt, as it is. */
function compact(
  wordings: readonly Wording[],
  assessment: Assessment,
): { readonly missing: readonly Finding[]; readonly others: readonly Wording[] } {
  const why = withheldWords(assessment);
  const kept = new Map<string, string[]>();
  const names: string[] = [];
  const groups: string[] = [];
  const others: Wording[] = [];
  for (const wording of wordings) {
    const { violation, advice } = wording;
    const isMissing =
      violation.kind === "none-set" || violation.kind === "missing" || violation.kind === "missing-when";
    if (isMissing && advice.length === 0) {
      const wanted = "name" in violation ? [violation.name] : violation.rule.names;
      const withheld = wanted.filter((name) => why(name) !== undefined);
      for (const name of withheld) kept.set(why(name) ?? "", [...(kept.get(why(name) ?? "") ?? []), name]);
      if (withheld.length > 0) continue;
      if (wanted.length === 1) names.push(...wanted);
      else groups.push(`none set: ${enumerate(wanted, "or")}`);
    } else {
      others.push(wording);
    }
  }
  const lines = [
    ...(names.length === 0 ? [] : [`not set: ${names.join(", ")}`]),
    ...groups,
    ...Array.from(kept, ([words, list]) => `${words}: ${list.join(", ")}`),
  ];
  return { missing: lines.map((text) => ({ kind: "names", text, advice: [] })), others };
}

/** An incomplete configuration of ESC is the cause, and said already; permissions have time until it works. */
function isTold(notice: Notice, quiet: boolean): boolean {
  return notice.kind !== "esc-incomplete" && notice.kind !== "exposed" && !(quiet && isInformation(notice));
}

/** Lines of a failure, if what is wrong does not take more. */
const MOST_TOTAL = 15;

/** The notices for which there is room; those about lines of files come last. `check` tells the others. */
function noticeLines(notices: readonly Notice[], room: number): readonly string[] {
  const isRemark = ({ kind }: Notice): boolean => kind === "remark";
  const ordered = [...notices.filter((notice) => !isRemark(notice)), ...notices.filter(isRemark)];
  const lines: string[] = [];
  for (const [index, notice] of ordered.entries()) {
    const own = describeNotice(notice).flatMap((line) => wrap(line, REST, "  "));
    const left = ordered.length - index;
    if (lines.length + own.length + (left > 1 ? 1 : 0) > room) {
      return [...lines, `and ${count(left, index === 0 ? "notice" : "further notice")}`];
    }
    lines.push(...own);
  }
  return lines;
}

const WIDTH = 80;
/** What stands in front of a line: the program's name at the first, an indent at the others. */
const FIRST = WIDTH - "sophia-run: ".length;
const REST = WIDTH - 2;

/**
 * The failure of a launch or an export.
 *
 * @param consequence such as `server.js was not started`
 * @param wayOut what is possible all the same, to follow a semicolon
 * @param quiet leaves out what is for information
 * @param isRunning a program has started with the same contract, so its origin is known
 */
export function wordUnmet(
  assessment: Assessment,
  consequence: string,
  wayOut: string,
  quiet: boolean,
  isRunning = false,
): Failure {
  const { unwritten: origin = [], cause = [], amount, findings, remedy } = explainUnmet(assessment, REST);
  const unwritten = isRunning ? [] : origin;
  const head = `the contract is not met (${amount}); ${printable(consequence)}`;
  const [first = head, ...rest] = [...unwritten, ...cause, head];
  const [message = "", ...more] = wrap(first, REST, "", FIRST);
  const lines = [
    ...rest,
    ...findings.flatMap(({ kind, text, advice }) => [
      kind === "violation" ? `✗ ${text}` : text,
      ...advice.map((one) => `  ${one}`),
    ]),
    ...remedy,
  ];
  const details = [...more, ...lines.flatMap((line) => wrap(line, REST, "  "))];
  const last =
    unwritten.length > 0 ? [] : wrap(`sophia-run check shows the whole configuration; ${wayOut}`, REST, "  ");
  const notices = assessment.notices.filter((notice) => isTold(notice, quiet));
  const room = MOST_TOTAL - 1 - details.length - last.length;
  return { code: "contract-unmet", message, details: [...details, ...noticeLines(notices, room), ...last] };
}
