/** Lines about each source, for `--verbose`. Pure. */
import { environmentWords } from "../resolve/source-words.ts";
import type { EscStatus, Start } from "../resolve/start.ts";
import type { Layer } from "../core/model.ts";
import { count } from "../core/text.ts";
import { parentOf } from "../system/paths.ts";

/** Returns a line for the contract and each source, without values. A source that cannot be read has a warning instead. */
export function readingLines({ files: read, store }: Pick<Start, "files" | "store">): readonly string[] {
  const { source, profile, scope } = read.contract;
  const { files, layers, pointers = [] } = read.all;
  return [
    `contract: ${source.kind === "file" ? source.path : "the built-in one"}${profile === undefined ? "" : `, profile ${profile}`}${scope === undefined ? "" : `, scope ${scope.name}`}`,
    ...escLines(store.esc, store.layers),
    ...pointers.map((name) => `${name}: ${amount(1)}`),
    ...layers.flatMap(secretsLine),
    ...files.map(({ path, variables }) => `${path}: ${variables === undefined ? "does not exist" : amount(variables)}`),
  ];
}

function escLines(esc: EscStatus, layers: readonly Layer[]): readonly string[] {
  switch (esc.kind) {
    case "off":
      return ["ESC: not configured"];
    case "fake":
      return ["ESC: not asked (--fake)"];
    case "read": {
      const inOrder = layers.toReversed();
      return esc.environments.map(
        (one, index) => `ESC ${environmentWords(one)}: ${amount(inOrder[index]?.variables.length ?? 0)}`,
      );
    }
    case "incomplete":
    case "unconsented":
    case "unavailable":
    case "refused":
      return [];
  }
}

function secretsLine({ variables }: Layer): readonly string[] {
  const [first] = variables;
  return first?.origin.source === "secrets" ? [`${parentOf(first.origin.file)}: ${amount(variables.length)}`] : [];
}

function amount(variables: number): string {
  return count(variables, "variable");
}
