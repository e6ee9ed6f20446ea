import type { VariableFormat } from "./format.ts";

/** One JSON object, name to value. It can hold everything. */
export const json: VariableFormat = {
  fault: () => undefined,
  // fromEntries defines properties, so that `__proto__` is a name like any other.
  write: (variables) =>
    `${JSON.stringify(Object.fromEntries(variables.map(({ name, value }) => [name, value])), undefined, 2)}\n`,
};
