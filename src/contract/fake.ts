/** Generates dummy values that meet a contract, for tests, previews and agents without secrets; pure. */
import { SophiaError } from "../core/error.ts";
import { grouped } from "../core/grouped.ts";
import type { Layer, Resolution, Resolved } from "../core/model.ts";
import { checkRule } from "./check-contract.ts";
import { formatFault } from "./format.ts";
import type { Contract, Declaration, Rule, RuleViolation, ValueFormat } from "./contract-model.ts";
import { preferred } from "./remedies.ts";

/**
 * Returns the values that a resolution lacks to meet the contract. They depend only on the contract and the names, and
 * contain `fake` if the format has room for it.
 * @param isExcluded returns true for a variable that gets no dummy value
 * @throws SophiaError (fake-value, 125) if no value of the declared format can be generated
 */
export function fakeLayer(
  contract: Contract,
  resolution: Resolution,
  isExcluded: (name: string) => boolean = () => false,
): Layer {
  const complete = new Map<string, Resolved>(resolution);
  const added = new Map<string, Resolved>();
  const rulesByName = grouped(contract.rules.flatMap(namesOfRule), ({ name }) => name);
  let rules: Iterable<Rule> = contract.rules;
  for (;;) {
    const lacking = Array.from(rules).flatMap((rule) => lackingNames(checkRule(rule, complete), contract, isExcluded));
    const names = new Set(lacking.filter((name) => !added.has(name) && !isExcluded(name)));
    if (names.size === 0) return { source: "fake", variables: Array.from(added.values()) };
    for (const name of names) {
      const declaration = contract.variables.get(name);
      if (declaration === undefined) continue;
      const value = fakeValue(declaration);
      const { secret, as: delivery = "value" } = declaration;
      const fake: Resolved = { name, value, secret, origin: { source: "fake" }, delivery };
      added.set(name, fake);
      complete.set(name, fake);
    }
    const affected = Array.from(names).flatMap((name) => rulesByName.get(name) ?? []);
    rules = new Set(affected.map(({ rule }) => rule));
  }
}

function namesOfRule(rule: Rule): readonly { readonly name: string; readonly rule: Rule }[] {
  const names = "names" in rule ? rule.names : rule.kind === "required-when" ? [rule.when.name] : [];
  return names.map((name) => ({ name, rule }));
}

function lackingNames(
  violation: RuleViolation | undefined,
  contract: Contract,
  isExcluded: (name: string) => boolean,
): readonly string[] {
  switch (violation?.kind) {
    case "missing":
    case "missing-when":
      return [violation.name];
    case "none-set": {
      const candidates = violation.rule.names.filter((one) => !isExcluded(one));
      const name = preferred(candidates, contract);
      return name === undefined ? [] : [name];
    }
    case "some-missing":
      return violation.missing;
    case "several-set":
    case undefined:
      return [];
  }
}

function fakeValue(declaration: Declaration): string {
  const { name, example, format } = declaration;
  const value = format === undefined ? unformatted(declaration) : formatted(format, word(name));
  if (format === undefined || formatFault(format, value, name) === undefined) return value;
  if (example !== undefined && formatFault(format, example, name) === undefined) return example;
  throw new SophiaError({
    code: "fake-value",
    message: `no dummy value for ${name} can be generated in its format`,
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

/** Keeps the scheme or the prefix of the example. No host is in `.invalid` (RFC 2606). */
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
