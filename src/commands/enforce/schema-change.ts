/**
 * Plans the change that `sophia-run enforce` makes to the definition of an environment: it adds, replaces or removes the schema below
 * `values`. enforce.ts shows the plan to the user and writes it. This file has no side effects.
 *
 *     values:
 *       environmentVariables: …      stays as it is
 *       contract: …                  the entry with the schema
 */
import type { Contract } from "../../contract/contract-model.ts";
import { SophiaError } from "../../core/error.ts";
import type { EnvironmentState } from "../../esc/api/change.ts";
import { findEntry, removeEntry, setEntry } from "../../esc/definition/edit-entry.ts";
import { compareSchema, type SchemaComparison } from "../parts/enforcement/schema-entry.ts";
import type { EnforceRequest } from "./enforce-request.ts";

export interface SchemaChange extends SchemaComparison {
  /** The YAML of the definition with the change; undefined if nothing changes. */
  readonly editedYaml: string | undefined;
}

/** Plans the change of one revision of the environment. @throws SophiaError (esc-edit, 125) if it cannot be made safely */
export function planSchemaChange(
  request: EnforceRequest,
  contract: Contract,
  { definition: { yaml }, opened, hidden = new Map() }: EnvironmentState,
): SchemaChange {
  const variables = [...opened.variables, ...hidden.values()];
  const fileNames = new Set(variables.flatMap(({ name, delivery }) => (delivery === "file" ? [name] : [])));
  const schema = compareSchema(contract, yaml, fileNames, request);
  const { key, entry, expectedLines, state } = schema;
  if (request.purpose === "remove") {
    return { ...schema, editedYaml: entry === undefined ? undefined : removeEntry(yaml, key) };
  }
  if (findEntry(yaml, "environmentVariables") === undefined) {
    throw new SophiaError({
      code: "esc-edit",
      message: "the definition has no environmentVariables to check",
      hint: "name the environment that has them: --in organization/project/environment",
    });
  }
  return { ...schema, editedYaml: state === "current" ? undefined : setEntry(yaml, key, expectedLines) };
}
