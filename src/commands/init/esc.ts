/** Variables that ESC environments have, by name alone. */
import type { Settings } from "../../command-line/settings.ts";
import { isBlank } from "../../contract/check.ts";
import { isPlaceholder } from "../../contract/placeholder.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { grouped } from "../../core/grouped.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { evaluate, type Evaluated } from "../../esc/api/evaluate.ts";
import { escAccess } from "../../esc/settings/access.ts";
import { makeProgress } from "../../output/progress.ts";
import { say } from "../../output/say.ts";
import { readEnvFiles } from "../../resolve/env-files.ts";
import { type Found, isCandidate } from "./found.ts";

/** What a contract can declare so that a start with the same environments meets it. */
interface EscFound {
  readonly found: readonly Found[];
  /** Variables without a value in ESC: required, they would be missing. */
  readonly empty: readonly Found[];
  /** Names that are still placeholders in ESC: declared, they would keep every program from starting. */
  readonly placeholders: readonly string[];
}

/**
 * Reads the environments of `ESC_ENV`; undefined if ESC is not configured. They are evaluated, not opened: the values of
 * secrets stay unknown.
 *
 * @throws SophiaError (125) if ESC is configured and cannot be asked
 */
export async function fromEsc(settings: Settings, context: Context): Promise<EscFound | undefined> {
  const dotenv = await readEnvFiles(settings, context.cwd, context.environment);
  const { access } = escAccess(context.environment, dotenv.layers, settings);
  if (access.kind !== "on") return undefined;
  const progress = await makeProgress(context, settings);
  const answers = await askEsc(access.settings, progress, evaluate).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(answers.failure);
  say(context, settings, answers.remarks);
  const given = answers.results.flatMap(({ variables }) =>
    Array.from(variables, ([name, one]) =>
      one.kind === "list-or-object" || !isCandidate(name) ? [] : [{ name, one }],
    ).flat(),
  );
  const all = Array.from(
    grouped(given, ({ name }) => name),
    ([name, list]) =>
      toEntry(
        name,
        list.map(({ one }) => one),
      ),
  );
  const declared = all.filter((entry) => !entry.isPlaceholder);
  return {
    found: declared.filter((entry) => !entry.isEmpty).map(({ found }) => found),
    empty: declared.filter((entry) => entry.isEmpty).map(({ found }) => found),
    placeholders: all.filter((entry) => entry.isPlaceholder).map(({ found }) => found.name),
  };
}

type Given = Exclude<Evaluated, { readonly kind: "list-or-object" }>;

function toEntry(name: string, given: readonly Given[]) {
  // A value that ESC does not keep secret may still be none to show: it stays out of the contract.
  const isPublic = given.every(({ kind }) => kind === "known");
  const found: Found = { name, required: false, isGiven: true, ...(isPublic ? { secret: false } : {}) };
  return { found, isEmpty: given.every(isEmpty), isPlaceholder: isPlaceholderStill(given) };
}

function isEmpty(one: Given): boolean {
  return one.kind === "known" && isBlank(one.variable.value);
}

/** Returns true if a placeholder may win: of several environments the last that turns out to have a value does. */
function isPlaceholderStill(given: readonly Given[]): boolean {
  const last = given.findLast((one) => one.kind === "known" && !isEmpty(one));
  if (last?.kind !== "known") return false;
  return last.variable.delivery === "value" && isPlaceholder({ secret: false }, last.variable.value);
}
