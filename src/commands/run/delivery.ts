/**
 * Splits the variables of a program into those that it gets by value, and those whose value it gets as the path of a private file:
 *
 *     const { environment, files } = createDelivery(start);
 *     launch({ environment, files, … });     // writes the files, and adds their paths to the environment
 */
import { variableOf } from "../../command-line/options.ts";
import type { Environment, Resolution } from "../../core/model.ts";
import type { SecretFile } from "../../launch/index.ts";
import type { Start } from "../../resolve/start.ts";

/** Splits the variables that the program of a start gets. A plain start copies none of them. */
export function createDelivery({
  settings: { fake },
  files: { contract },
  store: { esc },
  values: { selected },
}: Pick<Start, "settings" | "files" | "store" | "values">): {
  environment: Environment;
  files: SecretFile[];
} {
  const files: SecretFile[] = [];
  // Only ESC and a project's own contract declare files, so most starts need not search for them.
  const mayHaveFiles = esc.kind === "read" || contract.source.kind !== "built-in";
  if (!mayHaveFiles && fake === undefined) return { environment: new SelectedValues(selected), files };
  selected.forEach(({ name, value, delivery }) => {
    if (delivery === "file") files.push({ name, content: value });
  });
  if (files.length === 0 && fake === undefined) return { environment: new SelectedValues(selected), files };
  const environment = new Map(new SelectedValues(selected));
  for (const { name } of files) environment.delete(name);
  // The program may start another sophia-run, such as in a script of package.json. It must use dummies as well, not the real values.
  if (fake !== undefined) environment.set(variableOf("fake"), fake);
  return { environment, files };
}

/** Makes resolved variables look like an environment. A copy of some thousand variables would be 0.5 MB of garbage. */
class SelectedValues implements Environment {
  readonly #variables: Resolution;

  constructor(variables: Resolution) {
    this.#variables = variables;
  }

  get size(): number {
    return this.#variables.size;
  }

  get(name: string): string | undefined {
    return this.#variables.get(name)?.value;
  }

  has(name: string): boolean {
    return this.#variables.has(name);
  }

  forEach(visit: (value: string, name: string, environment: Environment) => void): void {
    this.#variables.forEach(({ value }, name) => visit(value, name, this));
  }

  keys(): MapIterator<string> {
    return this.#variables.keys();
  }

  *values(): Generator<string, undefined> {
    for (const { value } of this.#variables.values()) yield value;
  }

  *entries(): Generator<[string, string], undefined> {
    for (const [name, { value }] of this.#variables) yield [name, value];
  }

  [Symbol.iterator](): Generator<[string, string], undefined> {
    return this.entries();
  }
}
