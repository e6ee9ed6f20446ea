/** Variables that an ESC environment has, by name alone. */
import type { Settings } from "../../command-line/settings.ts";
import { isBlank } from "../../contract/check.ts";
import { isPlaceholder } from "../../contract/placeholder.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { type Evaluated, evaluateEnvironments } from "../../esc/api/evaluate.ts";
import { escAccess } from "../../esc/settings/access.ts";
import { makeProgress } from "../../output/progress.ts";
import { say } from "../../output/say.ts";
import { readEnvFiles } from "../../resolve/env-files.ts";
import { type Found, isCandidate } from "./found.ts";

/** What a contract can declare so that a start with the same environments meets it. */
export interface EscFound {
  /** Those that may be required. */
  readonly found: readonly Found[];
  /** Without a value in ESC: required, they would be missing. */
  readonly empty: readonly Found[];
  /** Still placeholders in ESC: declared, they would keep every program from starting. */
  readonly placeholders: readonly string[];
}

/**
 * What the environments of `ESC_ENV` give; `undefined` where ESC is not configured. They are evaluated, not opened: what a
 * secret holds is not known.
 *
 * @throws SophiaError (125) where ESC is configured and cannot be asked
 */
export async function fromEsc(settings: Settings, context: Context): Promise<EscFound | undefined> {
  const dotenv = await readEnvFiles(settings, context.cwd, context.environment);
  const { access } = escAccess(context.environment, dotenv.layers, settings);
  if (access.kind !== "on") return undefined;
  const progress = makeProgress(context, settings);
  const answers = await evaluateEnvironments(access.settings, progress).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(answers.failure);
  say(context, settings, answers.remarks);
  const all = new Map<string, Given[]>();
  for (const { variables } of answers.results) {
    for (const [name, one] of variables) {
      if (one.kind !== "list-or-object" && isCandidate(name)) all.set(name, [...(all.get(name) ?? []), one]);
    }
  }
  const entries = [...all].filter(([, given]) => !isPlaceholderStill(given));
  return {
    found: entries.filter(([, given]) => !given.every(isEmpty)).map(toFound),
    empty: entries.filter(([, given]) => given.every(isEmpty)).map(toFound),
    placeholders: [...all].filter(([, given]) => isPlaceholderStill(given)).map(([name]) => name),
  };
}

/** What one environment gives for a name. */
type Given = Exclude<Evaluated, { readonly kind: "list-or-object" }>;

function toFound([name, given]: readonly [string, readonly Given[]]): Found {
  // What ESC does not keep secret may still not be for the contract to show: its value stays out.
  const isPublic = given.every(({ kind }) => kind === "known");
  return { name, required: false, isGiven: true, ...(isPublic ? { secret: false } : {}) };
}

function isEmpty(one: Given): boolean {
  return one.kind === "known" && isBlank(one.variable.value);
}

/** Whether a placeholder may be what counts: of several environments the last wins that turns out to have a value. */
function isPlaceholderStill(given: readonly Given[]): boolean {
  const last = given.findLast((one) => one.kind === "known" && !isEmpty(one));
  if (last?.kind !== "known") return false;
  return last.variable.delivery === "value" && isPlaceholder({ secret: false }, last.variable.value);
}
