/** The report of `explain`, for people and as JSON. It contains no value. Pure. */
import { escForPrograms } from "../../output/esc-report.ts";
import { contractWords } from "../../output/report.ts";
import { brokerRows } from "./broker-text.ts";
import { refreshRows } from "./explain-refresh.ts";
import type { Explanation, RuleExplanation, VariableExplanation } from "./explanation.ts";
import { jsonText } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count, printable } from "../../core/text.ts";
import type { Origin } from "../../core/model.ts";
import { escEnvironmentWords, originWords } from "../../resolve/source-words.ts";
import { WITHHOLDING_WORDS } from "../../output/withheld-words.ts";

const INDENT = "  ";

/** Returns the explanation as JSON. Its version changes if a field changes its meaning. */
export function explanationJson({ contract, esc, chapters, unlisted, notices }: Explanation): string {
  const variables = chapters.flatMap((chapter) => chapter.variables);
  return jsonText({ version: 1, contract, esc: escForPrograms(esc), variables, unlisted, notices });
}

/** Returns the explanation for people. @param inFull true for variables that the user named: with descriptions and remedies */
export function explanationText(explanation: Explanation, inFull: boolean): readonly Line[] {
  const { chapters, unlisted } = explanation;
  const blocks: (readonly Line[])[] = chapters.flatMap(({ title, variables }) => [
    ...(title === "" ? [] : [[`--- ${printable(title)} ---`]]),
    ...variables.map((variable) => variableLines(variable, inFull)),
  ]);
  const { passed, withheld } = unlisted;
  if (passed + withheld > 0) {
    const passedWords = `${count(passed, "further variable")} of the process environment passed on`;
    blocks.push([`${passedWords}, ${count(withheld, "variable")} withheld; --all lists them`]);
  }
  return [...headLines(explanation), ...blocks.flatMap((lines) => ["", ...lines])];
}

function headLines({ contract, isAbsent, esc }: Explanation): readonly Line[] {
  const contractText = isAbsent ? "none; sophia-run init writes one" : contractWords(contract);
  const adviceLines = [...(esc.remedy ?? []), ...(esc.failure?.further ?? [])];
  return [
    { text: `Contract: ${contractText}`, hang: INDENT.length },
    { text: `ESC: ${escWords(esc)}`, hang: INDENT.length },
    ...adviceLines.map((line) => ({
      text: INDENT + line,
      hang: INDENT.length,
      whole: line.startsWith(INDENT),
    })),
  ];
}

function escWords({ status, environment, environments, credential, failure }: Explanation["esc"]): string {
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

function variableLines(variable: VariableExplanation, inFull: boolean): readonly Line[] {
  const { name, declaration, origin, delivery, shadows, withheld, rules, problems, skipped, aliasOf } = variable;
  const label = declaration === undefined || declaration.label === name ? "" : ` (${printable(declaration.label)})`;
  const fullDeclaration = inFull ? declaration : undefined;
  const rows: readonly (readonly [key: string, text: string | undefined])[] = [
    ["state", stateWords(variable)],
    ["purpose", fullDeclaration?.description],
    ["from", origin && locationWords(origin) + (delivery === "file" ? ", passed as a private file" : "")],
    ["replaces", origin && overriddenWords(origin)],
    ...shadows.map((hidden) =>
      originRow("hides", hidden.origin, ` (${hidden.same ? "the same value" : "a different value"})`),
    ),
    ...withheld.map(({ origin: source, why }) =>
      originRow("withheld", source, `${openerWords(source)}: ${WITHHOLDING_WORDS[why]}`),
    ),
    ...skipped.map(({ environment, why }) => ["skipped", `ESC ${environment}: ${SKIPPED_WORDS[why]}`] as const),
    ["output", outputWords(variable, inFull)],
    ...brokerRows(variable.broker, inFull),
    ...refreshRows(variable.refresh, inFull),
    ["alias", aliasOf && `of ${aliasOf}`],
    ...rules.map((rule) => ["rule", ruleWords(rule, name)] as const),
    ["advice", declaration?.deprecated && `deprecated; use ${declaration.deprecated}`],
    ["format", fullDeclaration?.format],
    ["enforce", hasRulesInEsc(variable) && fullDeclaration !== undefined ? ENFORCE_WORDS : undefined],
    ["aliases", fullDeclaration?.aliases.join(", ")],
    ["rotate", fullDeclaration?.rotate],
    ["see", fullDeclaration?.docs],
    ...problems.flatMap(({ message, remedies }) => [
      ["problem", message] as const,
      ...(inFull ? remedies : []).map((line) => ["", line] as const),
    ]),
  ];
  const lines = rows.flatMap(([key, text = ""]) =>
    text === ""
      ? []
      : {
          text: `${ROW_INDENT}${key.padEnd(KEY_COLUMNS)}${printable(text)}`,
          hang: ROW_INDENT.length + KEY_COLUMNS,
          whole: text.startsWith("  "),
        },
  );
  return [`${markOf(variable)} ${name}${label}`, ...lines];
}

const ROW_INDENT = "   ";
/** The width of the first column, such as `withheld `. */
const KEY_COLUMNS = 9;

const ENFORCE_WORDS = "a start checks it; sophia-run enforce has ESC check its values, too, when they are saved";

/** Returns true for a value of ESC that a rule or a format of the contract is about. */
function hasRulesInEsc({ origin, rules, declaration }: VariableExplanation): boolean {
  return origin?.source === "esc" && (rules.length > 0 || declaration?.format !== undefined);
}

const SKIPPED_WORDS = {
  unknown: "its value is not known",
  "list-or-object": "a list or an object cannot be a variable; use fn::toJSON",
} as const;

function originRow(key: string, origin: Origin, explanation: string): readonly [key: string, text: string] {
  return [key, locationWords(origin) + explanation];
}

function locationWords(origin: Origin): string {
  return `${originWords(origin)}${origin.source === "esc" ? lineWords(origin) : ""}`;
}

/** Names the file with the credential that opened ESC: whoever wrote that file decides the value. */
function openerWords(origin: Origin): string {
  if (origin.source !== "esc" || origin.openedBy === undefined) return "";
  return `, opened by the credential in ${origin.openedBy}`;
}

/** Names the imports of an ESC environment whose values the environment replaces, the nearest first. */
function overriddenWords(origin: Origin): string | undefined {
  if (origin.source !== "esc" || origin.overrides === undefined) return undefined;
  return origin.overrides.map((replaced) => `${replaced.environment ?? "an import"}${lineWords(replaced)}`).join("; ");
}

function lineWords({ line }: { readonly line?: number }): string {
  return line === undefined ? "" : `, line ${line}`;
}

function markOf({ state, declared, passed, broker, refresh }: VariableExplanation): string {
  if (state === "missing" || state === "invalid") return "❌";
  if (broker?.kind === "address" || refresh?.kind === "set") return "✅";
  return !passed ? "➖" : declared ? "✅" : "▫️";
}

function stateWords({ state, passed, withheld, declared, secret, broker, refresh }: VariableExplanation): string {
  if (broker?.kind === "address" && (state === "set" || state === "unset")) return "set by --broker";
  if (refresh?.kind === "set") return `set by ${refresh.option}`;
  const kind = secret ? ", secret" : "";
  switch (state) {
    case "set":
      return `set${kind}${declared ? "" : ", not declared"}`;
    case "invalid":
      return passed ? `set${kind}, not valid` : "not valid";
    case "missing":
      return withheld.length > 0 ? "missing: withheld from the program" : "missing";
    case "unset":
      return withheld.length > 0 ? `withheld from the program${declared ? "" : ", not declared"}` : "not set";
  }
}

/** Describes whether --redact masks the value in the output. A list of all variables mentions only what may surprise the user. */
function outputWords(variable: VariableExplanation, inFull: boolean): string | undefined {
  const { masking, declared, credential, reason } = variable;
  switch (masking) {
    case undefined:
      return undefined;
    case "masked": {
      if (credential === undefined) return inFull ? "masked, with --redact" : undefined;
      const contradiction = declared ? ", although the contract declares it public, without a reason" : "";
      return `masked, with --redact: its value holds ${credential}${contradiction}`;
    }
    case "not-secret": {
      if (credential !== undefined) return `never masked, although its value holds ${credential}: ${reason ?? ""}`;
      const declarer = declared
        ? "the contract declares it not secret"
        : "neither the contract nor ESC declares it secret";
      return inFull ? `never masked: ${declarer}` : undefined;
    }
    case "short":
      return "never masked: it has fewer than six characters";
    case "common":
      return "never masked: it is a common word";
    case "armour":
      return "never masked: it is only the first or last line of a key";
  }
}

function ruleWords({ kind, words, met, serving }: RuleExplanation, name: string): string {
  // For a rule that is not met, no variable is used.
  const result = met ? "" : ": not met";
  if (serving === undefined || kind !== "one-of") return words + result;
  return `${words}: ${serving === name ? "this one" : serving} is used`;
}
