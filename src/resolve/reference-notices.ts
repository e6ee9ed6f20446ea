/**
 * Warns about values of `.env` files that are references to secrets, such as `op://vault/item/field`. Another tool would replace
 * them; the program gets them as they are.
 */
import { groupBy } from "../core/group-by.ts";
import { isLineLocation, type Notice, type Resolution, type Variable } from "../core/model.ts";
import { isOnlyReference } from "../core/reference-forms.ts";
import { WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";

/**
 * Returns notices for the references that the program gets, or that are settings for ESC. A reference that another source
 * overrides is not reported, because a tool has resolved it: `op run --env-file .env -- sophia-run -- COMMAND` puts the secret
 * into the environment and leaves the reference in the file.
 *
 * @param isChecked returns true for a variable about whose reference the contract decides
 */
export function usedReferenceNotices(
  resolution: Resolution,
  selected: Resolution,
  isChecked: (name: string) => boolean,
): readonly Notice[] {
  const isUsed = ({ name, reference }: Variable): boolean => {
    if (!selected.has(name) && !WITHHELD_VARIABLES.includes(name)) return false;
    const isViolation = reference !== undefined && isOnlyReference(reference) && isChecked(name);
    return !isViolation;
  };
  return referenceNotices([...resolution.values()].filter(isUsed));
}

/** Returns a notice for the references of each form in each file. */
export function referenceNotices(variables: readonly Variable[]): readonly Notice[] {
  const references = variables.flatMap(({ name, reference: form, origin }) =>
    form === undefined || !isLineLocation(origin) ? [] : { name: origin.alias ?? name, form, ...origin },
  );
  return Array.from(groupBy(references, ({ file, form }) => `${form} ${file}`).values()).flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return { kind: "references", form: first.form, file: first.file, variables: group };
  });
}
