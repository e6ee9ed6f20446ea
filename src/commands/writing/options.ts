import type { Option } from "../../command-line/options.ts";

/** Options of every command that writes to ESC. */
export const CONFIRMATION: Readonly<Record<string, Option>> = {
  yes: { type: "boolean", short: "y", describe: "Do not ask" },
  "dry-run": { type: "boolean", describe: "Show what would change, and write nothing" },
};

/** Options of a command that writes values. @param values as the help of `--overwrite` names them */
export function writeOptions(values: "a value" | "values"): Readonly<Record<string, Option>> {
  return {
    in: { type: "string", value: "ENV", describe: "The environment to write, in place of ESC_ENV" },
    overwrite: { type: "boolean", describe: `Replace ${values} that ESC has already` },
    ...CONFIRMATION,
  };
}
