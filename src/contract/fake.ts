/** Dummy values that meet a contract, so that tests, previews and agents run without secrets; pure. */
import { SophiaError } from "../core/error.ts";
import { grouped } from "../core/grouped.ts";
import type { Layer, Resolution, Resolved } from "../core/model.ts";
import { checkRule } from "./check.ts";
import { formatFault, noWork } from "./format.ts";
import type { Contract, Declaration, ValueFormat, Violation } from "./model.ts";
import { preferred } from "./remedies.ts";

/**
 * The values that a resolution lacks to meet the contract: of each group the preferred variable, and what conditions
 * then require. The same contract and names always give the same values; each contains the word `fake` where its
 * format has room for it. The check that follows reports a contract that no values meet.
 * @throws SophiaError (fake-value, 125) where no value of the declared format can be made up
 */
export function fakeLayer(contract: Contract, resolution: Resolution): Layer {
  const complete = new Map<string, Resolved>(resolution);
  const added = new Map<string, Resolved>();
  const concerned = rulesByName(contract);
  let rules = contract.rules;
  for (;;) {
    const lacking = rules.flatMap((rule) => lackingNames(checkRule(rule, complete), contract));
    const names = new Set(lacking.filter((name) => !added.has(name)));
    if (names.size === 0) return { source: "fake", variables: Array.from(added.values()) };
    for (const name of names) {
      const declaration = contract.variables.get(name);
      if (declaration === undefined) continue;
      const value = fakeValue(declaration);
      const { secret } = declaration;
      const fake: Resolved = { name, value, secret, origin: { source: "fake" }, delivery: "value" };
      added.set(name, fake);
      complete.set(name, fake);
    }
    // The answer to all other rules is known.
    const indexes = new Set(
      Array.from(names)
        .flatMap((name) => concerned.get(name) ?? [])
        .map(({ index }) => index),
    );
    rules = Array.from(indexes)
      .toSorted((a, b) => a - b)
      .flatMap((index) => contract.rules[index] ?? []);
  }
}

/** The indexes of the rules that a value of each variable may change. */
function rulesByName({ rules }: Contract): ReadonlyMap<string, readonly { readonly index: number }[]> {
  const uses = rules.flatMap((rule, index) => {
    const names = "names" in rule ? rule.names : rule.kind === "required-when" ? [rule.when.name] : [];
    return names.map((name) => ({ name, index }));
  });
  return grouped(uses, ({ name }) => name);
}

function lackingNames(violation: Violation | undefined, contract: Contract): readonly string[] {
  switch (violation?.kind) {
    case "missing":
    case "missing-when":
      return [violation.name];
    case "none-set": {
      const name = preferred(violation.rule.names, contract);
      return name === undefined ? [] : [name];
    }
    case "some-missing":
      return violation.missing;
    case "several-set":
    case "malformed":
    case "placeholder":
    case undefined:
      return [];
  }
}

function fakeValue(declaration: Declaration): string {
  const { name, example, format } = declaration;
  const value = format === undefined ? unformatted(declaration) : formatted(format, word(name));
  if (format === undefined || formatFault(format, value, name, noWork()) === undefined) return value;
  if (example !== undefined && formatFault(format, example, name, noWork()) === undefined) return example;
  throw new SophiaError({
    code: "fake-value",
    message: `cannot make up a dummy value for ${name} in its format`,
    hint: "add an example in that format to the contract",
  });
}

/** `PULUMI_ACCESS_TOKEN` is `fake-pulumi-access-token`. */
function word(name: string): string {
  return `fake-${name
    .toLowerCase()
    .replaceAll(/[^a-z\d]+/g, "-")
    .replaceAll(/^-|-$/g, "")}`;
}

/** Follows the example: a URL stays one, a prefix stays in front. No host is in `.invalid` (RFC 2606). */
function unformatted({ name, example = "" }: Declaration): string {
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(example)?.[1];
  if (scheme !== undefined) return formatted({ kind: "url", schemes: [scheme] }, word(name));
  const prefix = /^([A-Za-z][\w-]{0,15}[-_])<[^<>]*>$/.exec(example)?.[1];
  return prefix === undefined ? word(name) : prefix + word(name);
}

function formatted(format: ValueFormat, text: string): string {
  switch (format.kind) {
    case "text":
      return fakeText(format, text);
    case "url":
      return `${format.schemes[0] ?? "https"}://fake.invalid/${text}`;
    case "integer":
      return String(fakeInteger(format));
    case "number":
      return String(format.minimum ?? Math.min(0, format.maximum ?? 0));
    case "boolean":
      return "false";
    case "port":
      return "65535";
    case "enum":
      return format.values[0] ?? "";
    case "json":
      return JSON.stringify({ fake: text });
    case "base64":
      // `fake` is valid base64 by itself; the text follows it.
      return `fake${Buffer.from(text, "utf8").toString("base64")}`;
    case "email":
      return `${text.slice(0, 64)}@fake.invalid`;
  }
}

function fakeText({ prefixes, minLength, pattern }: Extract<ValueFormat, { kind: "text" }>, text: string): string {
  if (pattern !== undefined) return pattern.sample("fake", minLength);
  const value = (prefixes[0] ?? "") + text;
  const missing = minLength - Array.from(value).length;
  return missing <= 0 ? value : value + "-fake".repeat(Math.ceil(missing / 5)).slice(0, missing);
}

function fakeInteger({ minimum, maximum }: Extract<ValueFormat, { kind: "integer" | "number" }>): bigint {
  if (minimum !== undefined) return BigInt(Math.ceil(minimum));
  return BigInt(Math.floor(Math.min(0, maximum ?? 0)));
}
