import type { Resolution } from "../../core/model.ts";
import type { SecretFile } from "../../launch/index.ts";

/** Splits the variables into those passed by value and those passed as the path of a private file. */
export function delivery(selected: Resolution): { environment: Map<string, string>; files: SecretFile[] } {
  const environment = new Map<string, string>();
  const files: SecretFile[] = [];
  selected.forEach(({ name, value, delivery: how }) => {
    if (how === "file") files.push({ name, content: value });
    else environment.set(name, value);
  });
  return { environment, files };
}
