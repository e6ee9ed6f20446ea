/**
 * Finds out for `audit` whether ESC itself checks the values by the contract. `sophia-run enforce` writes the contract into
 * an environment as a schema; this file compares the two.
 */
import type { Contract } from "../../contract/contract-model.ts";
import { SophiaError } from "../../core/error.ts";
import { findEntry } from "../../esc/definition/edit-entry.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { compareSchema } from "../parts/enforcement/schema-entry.ts";
import type { AuditedDefinition } from "./ages.ts";

export interface SchemaReport {
  readonly environment: string;
  /** The state that `enforce --check` finds, or `unseen` if the definition of the environment cannot be read or parsed. */
  readonly state: "current" | "differs" | "missing" | "unseen";
}

/**
 * Compares the schema in each definition with the schema that the contract gives, for the options that it was written with.
 *
 * @param filesByEnvironment the variables of `values.files`, whose schema has a form of its own; undefined if they are not
 *   known
 */
export function auditSchemas(
  contract: Contract,
  definitions: readonly AuditedDefinition[],
  filesByEnvironment: ReadonlyMap<string, ReadonlySet<string>> | undefined,
): readonly SchemaReport[] {
  return definitions.map(({ name, yaml }) => {
    const environment = formatName(name);
    const files = filesByEnvironment?.get(environment);
    if (yaml === undefined || files === undefined) return { environment, state: "unseen" };
    try {
      const hasVariables = findEntry(yaml, "environmentVariables") !== undefined;
      // Without variables there is nothing that a schema could check.
      return { environment, state: hasVariables ? compareSchema(contract, yaml, files).state : "missing" };
    } catch (error) {
      if (!(error instanceof SophiaError)) throw error;
      return { environment, state: "unseen" };
    }
  });
}

/** Returns the line of the report about one environment. */
export function describeSchemaState({ environment, state }: SchemaReport): string {
  switch (state) {
    case "current":
      return `✅ ${environment}: ESC checks the values by this contract`;
    case "differs":
      return `❌ ${environment}: The schema in ESC is not what the contract gives`;
    case "missing":
      return `➖ ${environment}: ESC does not check the values; sophia-run enforce has it do so`;
    case "unseen":
      return `➖ ${environment}: Not visible to this token`;
  }
}
