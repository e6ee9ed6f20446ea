import type { Settings } from "../../command-line/settings.ts";
import { isBlank } from "../../contract/check-contract.ts";
import { isPlaceholder } from "../../contract/placeholder.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { grouped } from "../../core/grouped.ts";
import { enumerateFew } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { evaluate, type EvaluatedVariable } from "../../esc/api/evaluate.ts";
import { formatVersion } from "../../esc/settings/environment-names.ts";
import { makeProgress } from "../../output/progress.ts";
import { printNotices } from "../../output/print-notices.ts";
import { notAllowed } from "../../access/consent-words.ts";
import { findEscAccess } from "../parts/command-access.ts";
import { admitsAll, type Candidate, isPublicValue, type SourceResult } from "./variable-candidates.ts";

type EscValue = Exclude<EvaluatedVariable, { readonly kind: "list-or-object" }>;

/**
 * Evaluates the environments of `ESC_ENV`, without opening secrets; undefined if ESC is not configured. A start with them
 * meets the resulting contract. @throws SophiaError (125) if ESC is configured and cannot be read
 */
export async function fromEsc(settings: Settings, context: Context): Promise<SourceResult | undefined> {
  const { access, notices } = await findEscAccess(settings, context, {}, { contract: "none" });
  const notice = notices.find(({ kind }) => kind === "environment-not-allowed");
  if (notice?.kind === "environment-not-allowed") throw notAllowed(notice);
  if (access.kind !== "on") return undefined;
  const progress = await makeProgress(context, settings);
  const answers = await askEsc(access.settings, progress, evaluate).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(answers.failure);
  printNotices(context, settings, answers.remarks);
  const named = answers.results.flatMap(({ variables }) =>
    Array.from(variables).flatMap(([name, value]) => (value.kind === "list-or-object" ? [] : [{ name, value }])),
  );
  const usable: Candidate[] = [];
  // Required, they would be missing.
  const empty: Candidate[] = [];
  // Declared, they would keep every program from starting.
  const placeholders: string[] = [];
  for (const [name, list] of grouped(named, (one) => one.name)) {
    const values = list.map(({ value }) => value);
    const isPublic = values.every((value) => value.kind === "known" && isPublicValue(name, value.variable.value));
    const texts = values.flatMap((value) => (value.kind === "known" ? [value.variable.value] : []));
    const admits = texts.length === values.length ? admitsAll(name, texts) : undefined;
    const candidate = { name, required: false, isGiven: true, admits, secret: !isPublic };
    if (mayBePlaceholder(values)) placeholders.push(name);
    else if (values.every(isEmpty)) empty.push({ ...candidate, isOptional: true });
    else usable.push(candidate);
  }
  const listed = (names: readonly string[]): string => enumerateFew(names.map(printable));
  return {
    candidates: [...usable, ...empty],
    source: "ESC",
    environments: answers.results.map(({ name }) => formatVersion(name)),
    remarks: [
      ...(empty.length === 0 ? [] : [`optional, because ESC has no value: ${listed(empty.map(({ name }) => name))}`]),
      ...(placeholders.length === 0 ? [] : [`left out, because ESC has a placeholder: ${listed(placeholders)}`]),
    ],
  };
}

function isEmpty(value: EscValue): boolean {
  return value.kind === "known" && isBlank(value.variable.value);
}

/** Returns true if a placeholder may win: a value that is unknown until it is opened may be empty. */
function mayBePlaceholder(values: readonly EscValue[]): boolean {
  const last = values.findLast((one) => one.kind === "known" && !isEmpty(one));
  if (last?.kind !== "known") return false;
  return last.variable.delivery === "value" && isPlaceholder({ secret: false }, last.variable.value);
}
