import type { Environment } from "../../core/model.ts";

/**
 * An environment as the object that Node starts programs with. Object.fromEntries would make a list of each variable:
 * with thousands of them several milliseconds of garbage.
 */
export function recordOf(environment: Environment): Record<string, string> {
  // Without a prototype `__proto__` is a name like any other.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has no members yet
  const record = Object.create(null) as Record<string, string>;
  environment.forEach((value, name) => {
    record[name] = value;
  });
  return record;
}
