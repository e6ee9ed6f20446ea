import { count } from "../../core/text.ts";
import { visitCode } from "../parts/code/code-files.ts";
import type { SourceResult } from "./variable-candidates.ts";

/** Finds the variables that the code below a folder reads. */
export async function fromCode(root: string): Promise<SourceResult> {
  const variables = new Map<string, boolean>();
  const { files, isCut } = await visitCode(root, {
    file: ({ reads }) => {
      for (const { name, required } of reads) variables.set(name, required || variables.get(name) === true);
    },
  });
  return {
    candidates: Array.from(variables, ([name, required]) => ({ name, required })).toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
    source: `the code (${count(files, "file")}${isCut ? "; further files were not read" : ""})`,
  };
}
