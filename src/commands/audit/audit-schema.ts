/** The check of values by ESC itself: the state of its schema, as `enforce --check` reports it. Pure. */
import type { Contract } from "../../contract/contract-model.ts";
import { SophiaError } from "../../core/error.ts";
import { entryOf } from "../../esc/definition/edit-entry.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { schemaState } from "../parts/enforcement/schema-entry.ts";
import type { AuditedDefinition } from "./ages.ts";

/** `unseen`: the token may not see the definition, or it has an unusual form. */
export interface SchemaReport {
  readonly environment: string;
  readonly state: "current" | "differs" | "missing" | "unseen";
}

/**
 * Compares the schema in each definition with the one that the contract gives, with the options it was written with.
 *
 * @param files the variables of `values.files` by environment; undefined if they are not known
 */
export function auditSchemas(
  contract: Contract,
  definitions: readonly AuditedDefinition[],
  files: ReadonlyMap<string, ReadonlySet<string>> | undefined,
): readonly SchemaReport[] {
  return definitions.map(({ name, yaml }) => {
    const environment = formatName(name);
    const known = files?.get(environment);
    if (yaml === undefined || known === undefined) return { environment, state: "unseen" };
    try {
      // Without variables there is nothing to check.
      const hasVariables = entryOf(yaml, "environmentVariables") !== undefined;
      return { environment, state: hasVariables ? schemaState(contract, yaml, known).state : "missing" };
    } catch (error) {
      if (!(error instanceof SophiaError)) throw error;
      return { environment, state: "unseen" };
    }
  });
}

export function schemaLine({ environment, state }: SchemaReport): string {
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
