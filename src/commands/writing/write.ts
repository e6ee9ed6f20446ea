/** Writing values to ESC, as `set` and `import` do. */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { changeEnvironment, type Current, readOrEvaluate } from "../../esc/api/change.ts";
import { setVariables } from "../../esc/definition/edit.ts";
import type { EscSettings } from "../../esc/settings/access.ts";
import { askOne } from "./access.ts";
import type { Candidate } from "./candidates.ts";
import { settleChange } from "./outcome.ts";
import { isChange, planValues } from "./plan.ts";

/**
 * Writes what the environment lacks of the values, also after changes by other users in between.
 *
 * @param refuse throws where what is there now must not be replaced
 * @returns the change that is in effect; a status where it is not
 * @throws SophiaError (125)
 */
export async function writeValues(
  candidates: readonly Candidate[],
  overwrite: boolean,
  {
    target,
    settings,
    context,
  }: { readonly target: EscSettings; readonly settings: Settings; readonly context: Context },
  refuse: (now: Current) => void = () => {},
): Promise<ReturnType<typeof settleChange>> {
  const edit = (now: Current): string | undefined => {
    refuse(now);
    const changes = planValues(candidates, now, overwrite).filter(isChange);
    if (changes.length === 0) return undefined;
    return setVariables(
      now.definition.yaml,
      changes.map(({ name, value, secret }) => ({ kind: "value", name, value, secret })),
    );
  };
  const values = candidates.map(({ value }) => value);
  const changed = await askOne(target, settings, context, (name, connection) =>
    changeEnvironment(name, connection, edit, values, readOrEvaluate),
  );
  return settleChange(changed, context);
}
