/**
 * Formats the report of `sophia-run explain`, as text for people and as JSON (`--json`). The report says for each variable
 * where its value comes from, what the program gets, and which rules of the contract apply. It contains no value.
 * explanation.ts collects the facts; this file has no side effects.
 *
 *     ✅ DATABASE_URL (Main database)
 *        state    set, secret
 *        from     ESC acme/shop/dev, line 12
 *        hides    .env:3 (a different value)
 */
import { createEscJson } from "../../output/esc-report.ts";
import { describeContract } from "../../output/report.ts";
import { createBrokerRows } from "./broker-text.ts";
import { createRefreshRows } from "./explain-refresh.ts";
import type { Explanation, RuleExplanation, VariableExplanation } from "./explanation.ts";
import { formatJson } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count, printable } from "../../core/text.ts";
import type { Origin } from "../../core/model.ts";
import { escEnvironmentWords, originWords } from "../../resolve/source-words.ts";
import { WITHHOLDING_DESCRIPTIONS } from "../../output/withheld-words.ts";

/** The indent of lines below the head of the report. */
const INDENT = "  ";

/**
 * Returns the explanation as JSON. Its version changes if a field is removed or changes its meaning; fields may be added.
 */
export function formatExplanationJson({ contract, esc, chapters, unlisted, notices }: Explanation): string {
  const variables = chapters.flatMap((chapter) => chapter.variables);
  return formatJson({ version: 1, contract, esc: createEscJson(esc), variables, unlisted, notices });
}

/**
 * Returns the explanation for people.
 *
 * @param isDetailed true if the user named the variables. Their rows then also have descriptions and remedies
 */
export function formatExplanation(explanation: Explanation, isDetailed: boolean): readonly Line[] {
  const { chapters, unlisted } = explanation;
  // Variables that the user named have no chapters, so their only title is empty.
  const blocks: (readonly Line[])[] = chapters.flatMap(({ title, variables }) => [
    ...(title === "" ? [] : [[`--- ${printable(title)} ---`]]),
    ...variables.map((variable) => createVariableLines(variable, isDetailed)),
  ]);
  const { passed, withheld } = unlisted;
  if (passed + withheld > 0) {
    const passedWords = `${count(passed, "further variable")} of the process environment passed on`;
    blocks.push([`${passedWords}, ${count(withheld, "variable")} withheld; --all lists them`]);
  }
  return [...createHeadLines(explanation), ...blocks.flatMap((lines) => ["", ...lines])];
}

/** Returns the lines about the contract and about ESC. */
function createHeadLines({ contract, isAbsent, esc }: Explanation): readonly Line[] {
  const contractText = isAbsent ? "none; sophia-run init writes one" : describeContract(contract);
  const adviceLines = [...(esc.remedy ?? []), ...(esc.failure?.further ?? [])];
  return [
    { text: `Contract: ${contractText}`, hangingIndent: INDENT.length },
    { text: `ESC: ${describeEsc(esc)}`, hangingIndent: INDENT.length },
    ...adviceLines.map((line) => ({
      text: INDENT + line,
      hangingIndent: INDENT.length,
      // A remedy that begins with spaces is a command to paste, which must not be wrapped.
      neverWraps: line.startsWith(INDENT),
    })),
  ];
}

/** Describes whether ESC was read, with which credential, and why not. */
function describeEsc({ status, environment, environments, credential, failure }: Explanation["esc"]): string {
  // The user knows what ESC_ENV names. The contract's choice may be a surprise.
  const namedBy = environment.variable === "ESC_ENV" ? "" : ", named by the contract";
  // `shown` is the path of a token file or an organization, but for these two variables the masked end of a token.
  const isToken = credential.variable === "ESC_TOKEN" || credential.variable === "ESC_TOKEN_COMMAND";
  const shownCredential = isToken ? credential.variable : `${credential.variable} (${credential.shown ?? ""})`;
  const origin = `${namedBy}, with ${shownCredential}`;
  switch (status) {
    case "off":
      return "not configured";
    case "incomplete":
      return environment.shown === undefined
        ? `not read: ESC_ENV is not set`
        : `${environment.shown} not read: no credential is set`;
    case "unconsented":
      return `${environment.shown ?? ""} not read: sophia-run allow would allow it`;
    case "fake":
      return "not read (--fake)";
    case "read":
      return environments.map(escEnvironmentWords).join(", ") + origin;
    case "unavailable":
    case "refused":
      return `${environment.shown ?? ""} not read${origin}: ${failure?.message ?? ""}`;
  }
}

/**
 * A row of the table about a variable. A row without a text is not shown. A remedy has an empty key, so it stands below its
 * problem.
 */
type Row = readonly [key: string, text: string | undefined];

/** Returns the lines about a variable: a line with its name, and a table. */
function createVariableLines(variable: VariableExplanation, isDetailed: boolean): readonly Line[] {
  const { name, declaration } = variable;
  const label = declaration === undefined || declaration.label === name ? "" : ` (${printable(declaration.label)})`;
  const rows: readonly Row[] = [
    ["state", describeState(variable)],
    ["purpose", isDetailed ? declaration?.description : undefined],
    ...createSourceRows(variable),
    ["output", describeOutput(variable, isDetailed)],
    ...createBrokerRows(variable.broker, isDetailed),
    ...createRefreshRows(variable.refresh, isDetailed),
    ...createContractRows(variable, isDetailed),
    ...variable.problems.flatMap(({ message, remedies }): readonly Row[] => [
      ["problem", message],
      ...(isDetailed ? remedies : []).map((line) => ["", line] as const),
    ]),
  ];
  return [`${chooseMark(variable)} ${name}${label}`, ...rows.flatMap(formatRow)];
}

/**
 * Returns the rows about the sources of a variable: the one in use, those that it hides, and those that are not passed on.
 */
function createSourceRows({ origin, delivery, shadows, withheld, skipped }: VariableExplanation): readonly Row[] {
  return [
    ["from", origin && describeLocation(origin) + (delivery === "file" ? ", passed as a private file" : "")],
    ["replaces", origin && describeOverridden(origin)],
    ...shadows.map(({ origin: shadowOrigin, same }) =>
      createOriginRow("hides", shadowOrigin, ` (${same ? "the same value" : "a different value"})`),
    ),
    ...withheld.map(({ origin: withheldOrigin, why }) =>
      createOriginRow(
        "withheld",
        withheldOrigin,
        `${describeOpener(withheldOrigin)}: ${WITHHOLDING_DESCRIPTIONS[why]}`,
      ),
    ),
    ...skipped.map(({ environment, why }) => ["skipped", `ESC ${environment}: ${SKIPPED_REASONS[why]}`] as const),
  ];
}

/** Returns the rows about what the contract says of a variable. */
function createContractRows(variable: VariableExplanation, isDetailed: boolean): readonly Row[] {
  const { name, declaration, rules, aliasOf } = variable;
  const fullDeclaration = isDetailed ? declaration : undefined;
  return [
    ["alias", aliasOf && `of ${aliasOf}`],
    ...rules.map((rule) => ["rule", describeRule(rule, name)] as const),
    ["advice", declaration?.deprecated && `deprecated; use ${declaration.deprecated}`],
    ["format", fullDeclaration?.format],
    ["enforce", hasRulesInEsc(variable) && fullDeclaration !== undefined ? ENFORCE_OFFER : undefined],
    ["aliases", fullDeclaration?.aliases.join(", ")],
    ["rotate", fullDeclaration?.rotate],
    ["see", fullDeclaration?.docs],
  ];
}

function formatRow([key, text = ""]: Row): readonly Line[] {
  if (text === "") return [];
  return [
    {
      text: `${ROW_INDENT}${key.padEnd(KEY_COLUMNS)}${printable(text)}`,
      hangingIndent: ROW_INDENT.length + KEY_COLUMNS,
      // A remedy that begins with two spaces is a command to paste, which must not be wrapped.
      neverWraps: text.startsWith("  "),
    },
  ];
}

const ROW_INDENT = "   ";
/** The width of the first column, such as `withheld `. */
const KEY_COLUMNS = 9;

const ENFORCE_OFFER = "a start checks it; sophia-run enforce has ESC check its values, too, when they are saved";

/** Returns true for a value of ESC for which the contract has a rule or a format. */
function hasRulesInEsc({ origin, rules, declaration }: VariableExplanation): boolean {
  return origin?.source === "esc" && (rules.length > 0 || declaration?.format !== undefined);
}

/** The reasons why a variable of an ESC environment has no value for the program. */
const SKIPPED_REASONS = {
  unknown: "its value is not known",
  "list-or-object": "a list or an object cannot be a variable; use fn::toJSON",
} as const;

function createOriginRow(key: string, origin: Origin, explanation: string): readonly [key: string, text: string] {
  return [key, describeLocation(origin) + explanation];
}

function describeLocation(origin: Origin): string {
  return `${originWords(origin)}${origin.source === "esc" ? describeLine(origin) : ""}`;
}

/** Names the file with the credential that opened ESC, if a file has it. Then the author of that file decides the value. */
function describeOpener(origin: Origin): string {
  if (origin.source !== "esc" || origin.openedBy === undefined) return "";
  return `, opened by the credential in ${origin.openedBy}`;
}

/** Names the imports of an ESC environment whose values the environment replaces, the nearest first. */
function describeOverridden(origin: Origin): string | undefined {
  if (origin.source !== "esc" || origin.overrides === undefined) return undefined;
  return origin.overrides
    .map((replaced) => `${replaced.environment ?? "an import"}${describeLine(replaced)}`)
    .join("; ");
}

function describeLine({ line }: { readonly line?: number }): string {
  return line === undefined ? "" : `, line ${line}`;
}

/**
 * Returns the mark before the name. ❌: a rule is not met. ✅: declared, and the program gets it. ▫️: not declared, and the
 * program gets it. ➖: the program does not get it.
 */
function chooseMark({ state, declared, passed, broker, refresh }: VariableExplanation): string {
  if (state === "missing" || state === "invalid") return "❌";
  // These options set the variable although no source has it.
  if (broker?.kind === "address" || refresh?.kind === "set") return "✅";
  if (!passed) return "➖";
  return declared ? "✅" : "▫️";
}

function describeState({ state, passed, withheld, declared, secret, broker, refresh }: VariableExplanation): string {
  if (broker?.kind === "address" && (state === "set" || state === "unset")) return "set by --broker";
  if (refresh?.kind === "set") return `set by ${refresh.option}`;
  const secretNote = secret ? ", secret" : "";
  switch (state) {
    case "set":
      return `set${secretNote}${declared ? "" : ", not declared"}`;
    case "invalid":
      return passed ? `set${secretNote}, not valid` : "not valid";
    case "missing":
      return withheld.length > 0 ? "missing: withheld from the program" : "missing";
    case "unset":
      return withheld.length > 0 ? `withheld from the program${declared ? "" : ", not declared"}` : "not set";
  }
}

/**
 * Describes whether --redact masks the value in the program's output. For a variable that the user did not name, this is
 * undefined unless it may surprise the user.
 */
function describeOutput(variable: VariableExplanation, isDetailed: boolean): string | undefined {
  const { masking, declared, credential, reason } = variable;
  switch (masking) {
    case undefined:
      return undefined;
    case "masked": {
      if (credential === undefined) return isDetailed ? "masked, with --redact" : undefined;
      const contradiction = declared ? ", although the contract declares it public, without a reason" : "";
      return `masked, with --redact: its value holds ${credential}${contradiction}`;
    }
    case "not-secret": {
      if (credential !== undefined) return `never masked, although its value holds ${credential}: ${reason ?? ""}`;
      const declarer = declared
        ? "the contract declares it not secret"
        : "neither the contract nor ESC declares it secret";
      return isDetailed ? `never masked: ${declarer}` : undefined;
    }
    case "short":
      return "never masked: it has fewer than six characters";
    case "common":
      return "never masked: it is a common word";
    case "armour":
      return "never masked: it is only the first or last line of a key";
  }
}

function describeRule({ kind, words, met, serving }: RuleExplanation, name: string): string {
  const result = met ? "" : ": not met";
  // `serving` is the variable of the group that the program uses. There is none if the rule is not met.
  if (serving === undefined || kind !== "one-of") return words + result;
  return `${words}: ${serving === name ? "this one" : serving} is used`;
}
