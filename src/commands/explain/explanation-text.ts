import { escForPrograms } from "../../output/esc-report.ts";
import { contractWords } from "../../output/report.ts";
import { brokerRows } from "./broker-text.ts";
import { refreshRows } from "./explain-refresh.ts";
import type { Explanation, RuleExplanation, VariableExplanation } from "./explanation.ts";
import { jsonText } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count, printable } from "../../core/text.ts";
import type { Origin } from "../../core/model.ts";
import { environmentWords, originWords } from "../../resolve/source-words.ts";
import { WITHHOLDING_WORDS } from "../../output/withheld-words.ts";

const INDENT = "  ";

/** Returns the explanation as JSON. Its version changes if a field changes its meaning. */
export function explanationJson({ contract, esc, chapters, unlisted, notices }: Explanation): string {
  const variables = chapters.flatMap((chapter) => chapter.variables);
  return jsonText({ version: 1, contract, esc: escForPrograms(esc), variables, unlisted, notices });
}

/** Returns the explanation for people. @param inFull with descriptions, for variables that the user named */
export function explanationText(explanation: Explanation, inFull: boolean): readonly Line[] {
  const { chapters, unlisted } = explanation;
  const blocks: (readonly Line[])[] = chapters.flatMap(({ title, variables }) => [
    ...(title === "" ? [] : [[`--- ${printable(title)} ---`]]),
    ...variables.map((variable) => describe(variable, inFull)),
  ]);
  const { passed, withheld } = unlisted;
  if (passed + withheld > 0) {
    const further = `${count(passed, "further variable")} of the process environment passed on`;
    blocks.push([`${further}, ${count(withheld, "variable")} withheld; --all lists them`]);
  }
  return [...head(explanation), ...blocks.flatMap((lines) => ["", ...lines])];
}

function head({ contract, isAbsent, esc }: Explanation): readonly Line[] {
  return [
    {
      text: `Contract: ${isAbsent ? "none; sophia-run init writes one" : contractWords(contract)}`,
      hang: INDENT.length,
    },
    { text: `ESC: ${escWords(esc)}`, hang: INDENT.length },
    ...[...(esc.remedy ?? []), ...(esc.failure?.further ?? [])].map((line) => ({
      text: INDENT + line,
      hang: INDENT.length,
      whole: line.startsWith(INDENT),
    })),
  ];
}

function escWords({ status, environment, environments, credential, failure }: Explanation["esc"]): string {
  // The path of a token file and an organization are shown, but not the masked end of a token.
  const named = environment.variable === "ESC_ENV" ? "" : ", named by the contract";
  const used =
    credential.variable === "ESC_TOKEN" || credential.variable === "ESC_TOKEN_COMMAND"
      ? `, with ${credential.variable}`
      : `, with ${credential.variable} (${credential.shown ?? ""})`;
  const by = named + used;
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
      return environments.map(environmentWords).join(", ") + by;
    case "unavailable":
    case "refused":
      return `${environment.shown ?? ""} not read${by}: ${failure?.message ?? ""}`;
  }
}

function describe(variable: VariableExplanation, inFull: boolean): readonly Line[] {
  const { name, declaration, origin, delivery, shadows, withheld, rules, problems, skipped, aliasOf } = variable;
  const label = declaration === undefined || declaration.label === name ? "" : ` (${printable(declaration.label)})`;
  const full = inFull ? declaration : undefined;
  const rows: readonly (readonly [key: string, text: string | undefined])[] = [
    ["state", stateWords(variable)],
    ["purpose", full?.description],
    ["from", origin && locationWords(origin) + (delivery === "file" ? ", passed as a private file" : "")],
    ["replaces", origin && overriddenWords(origin)],
    ...shadows.map((one) => row("hides", one.origin, ` (${one.same ? "the same value" : "a different value"})`)),
    ...withheld.map((one) => row("withheld", one.origin, `${openerWords(one.origin)}: ${WITHHOLDING_WORDS[one.why]}`)),
    ...skipped.map(({ environment, why }) => ["skipped", `ESC ${environment}: ${SKIPPED_WORDS[why]}`] as const),
    ["output", outputWords(variable, inFull)],
    ...brokerRows(variable.broker, inFull),
    ...refreshRows(variable.refresh, inFull),
    ["alias", aliasOf && `of ${aliasOf}`],
    ...rules.map((rule) => ["rule", ruleWords(rule, name)] as const),
    ["advice", declaration?.deprecated && `deprecated; use ${declaration.deprecated}`],
    ["format", full?.format],
    ["enforce", isOfEsc(variable) && full !== undefined ? ENFORCE_WORDS : undefined],
    ["aliases", full?.aliases.join(", ")],
    ["rotate", full?.rotate],
    ["see", full?.docs],
    ...problems.flatMap(({ message, remedies }) => [
      ["problem", message] as const,
      ...(inFull ? remedies : []).map((line) => ["", line] as const),
    ]),
  ];
  const lines = rows.flatMap(([key, text = ""]) =>
    text === "" ? [] : { text: `   ${key.padEnd(KEY)}${printable(text)}`, hang: KEY + 3, whole: text.startsWith("  ") },
  );
  return [`${mark(variable)} ${name}${label}`, ...lines];
}

const KEY = 9;

const ENFORCE_WORDS = "a start checks it; sophia-run enforce has ESC check its values, too, when they are saved";

/** Returns true for a value of an ESC environment of which the contract requires something. */
function isOfEsc({ origin, rules, declaration }: VariableExplanation): boolean {
  return origin?.source === "esc" && (rules.length > 0 || declaration?.format !== undefined);
}

const SKIPPED_WORDS = {
  unknown: "its value is not known",
  "list-or-object": "a list or an object cannot be a variable; use fn::toJSON",
} as const;

function row(key: string, origin: Origin, more: string): readonly [key: string, text: string] {
  return [key, locationWords(origin) + more];
}

function locationWords(origin: Origin): string {
  return `${originWords(origin)}${origin.source === "esc" ? lineWords(origin) : ""}`;
}

/** Names the file that counts in place of ESC. */
function openerWords(origin: Origin): string {
  if (origin.source !== "esc" || origin.openedBy === undefined) return "";
  return `, opened by the credential in ${origin.openedBy}`;
}

/** Names the imports of the ESC environment whose values it replaces, the nearest first. */
function overriddenWords(origin: Origin): string | undefined {
  if (origin.source !== "esc" || origin.overrides === undefined) return undefined;
  return origin.overrides.map((one) => `${one.environment ?? "an import"}${lineWords(one)}`).join("; ");
}

function lineWords({ line }: { readonly line?: number }): string {
  return line === undefined ? "" : `, line ${line}`;
}

function mark({ state, declared, passed, broker, refresh }: VariableExplanation): string {
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

/** Says whether outputs show the value; in a list only if they do although the variable is secret. */
function outputWords(variable: VariableExplanation, inFull: boolean): string | undefined {
  const { masking, declared, credential, reason } = variable;
  switch (masking) {
    case undefined:
      return undefined;
    case "masked": {
      if (credential === undefined) return inFull ? "masked, with --redact" : undefined;
      const although = declared ? ", although the contract declares it public, without a reason" : "";
      return `masked, with --redact: its value holds ${credential}${although}`;
    }
    case "not-secret": {
      if (credential !== undefined) return `never masked, although its value holds ${credential}: ${reason ?? ""}`;
      const by = declared ? "the contract declares it not secret" : "neither the contract nor ESC declares it secret";
      return inFull ? `never masked: ${by}` : undefined;
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
  const tail = met ? "" : ": not met";
  if (serving === undefined || kind !== "one-of") return words + tail;
  return `${words}: ${serving === name ? "this one" : serving} is used`;
}
