/** Plans the change that `enforce` makes to the definition of an environment. Pure. */
import type { Contract } from "../../contract/contract-model.ts";
import { SophiaError } from "../../core/error.ts";
import type { EnvironmentState } from "../../esc/api/change.ts";
import { entryOf, removeEntry, setEntry } from "../../esc/definition/edit-entry.ts";
import { compareSchema, type SchemaComparison } from "../parts/enforcement/schema-entry.ts";
import type { EnforceRequest } from "./enforce-request.ts";

export interface SchemaChange extends SchemaComparison {
  /** The definition with the change; undefined if nothing changes. */
  readonly edited: string | undefined;
}

/** Plans the change of one revision. @throws SophiaError (esc-edit, 125) if it cannot be made safely */
export function planSchemaChange(
  request: EnforceRequest,
  contract: Contract,
  { definition: { yaml }, opened, hidden = new Map() }: EnvironmentState,
): SchemaChange {
  const variables = [...opened.variables, ...hidden.values()];
  const files = new Set(variables.flatMap(({ name, delivery }) => (delivery === "file" ? [name] : [])));
  const schema = compareSchema(contract, yaml, files, request);
  const { key, entry, expectedLines, state } = schema;
  if (request.purpose === "remove") {
    return { ...schema, edited: entry === undefined ? undefined : removeEntry(yaml, key) };
  }
  if (entryOf(yaml, "environmentVariables") === undefined) {
    throw new SophiaError({
      code: "esc-edit",
      message: "the definition has no environmentVariables to check",
      hint: "name the environment that has them: --in organization/project/environment",
    });
  }
  return { ...schema, edited: state === "current" ? undefined : setEntry(yaml, key, expectedLines) };
}
