/** The text of a new contract; pure. */
import { formatFault } from "../../contract/format.ts";
import type { ValueFormat } from "../../contract/model.ts";
import { type Found, soundsSecret } from "./found.ts";

/** Where editors find the schema of a contract in a repository that has sophia-run among its packages. */
const SCHEMA = "./node_modules/sophia-run/schema/sophia.contract.schema.json";

/** A contract that declares the variables; to be refined by hand. */
export function contractText(found: readonly Found[]): string {
  const variables = Object.fromEntries(found.map((one) => [one.name, entryOf(one)]));
  return `${JSON.stringify({ $schema: SCHEMA, variables }, undefined, 2)}\n`;
}

function entryOf({ name, required, description, example, secret }: Found) {
  const format = formatOf(name, example);
  const isPublic = secret === undefined ? !soundsSecret(name) && example !== undefined : !secret;
  // Ports and booleans count as no secret anyway.
  const implied = format === "port" || format === "boolean";
  return {
    ...(description === undefined ? {} : { description }),
    ...(required ? { required } : {}),
    ...(isPublic && !implied ? { secret: false } : {}),
    ...(example === undefined ? {} : { example }),
    ...(format === undefined ? {} : { format }),
  };
}

/** Only what both the name and the example say. */
function formatOf(name: string, example: string | undefined): "port" | "boolean" | "url" | undefined {
  const has = (format: ValueFormat): boolean => example !== undefined && formatFault(format, example) === undefined;
  if (/(?:^|_)PORT$/i.test(name) && (example === undefined || has({ kind: "port" }))) return "port";
  if (/^(?:true|false)$/i.test(example ?? "")) return "boolean";
  return has({ kind: "url", schemes: [] }) && /(?:^|_)(?:URL|URI|ENDPOINT|ORIGIN)$/i.test(name) ? "url" : undefined;
}
