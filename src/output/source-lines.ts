/** Describes what was read from each source, for `--verbose`. */
import { escEnvironmentWords } from "../resolve/source-words.ts";
import type { EscStatus, Start } from "../resolve/start.ts";
import type { Layer } from "../core/model.ts";
import { count } from "../core/text.ts";
import { parentOf } from "../system/paths.ts";

/**
 * Returns a line for the contract and for each source: `.env: 3 variables`. A source that cannot be read has no line, because a
 * warning reports it.
 */
export function describeSources({ files: filesOfStart, store }: Pick<Start, "files" | "store">): readonly string[] {
  const { source, profile, scope } = filesOfStart.contract;
  const { files, layers, pointers = [] } = filesOfStart.all;
  const contractName = source.kind === "file" ? source.path : "the built-in one";
  const profileName = profile === undefined ? "" : `, profile ${profile}`;
  const scopeName = scope === undefined ? "" : `, scope ${scope.name}`;
  return [
    `contract: ${contractName}${profileName}${scopeName}`,
    ...describeEsc(store.esc, store.layers),
    ...pointers.map((name) => `${name}: ${countVariables(1)}`),
    ...layers.flatMap(describeSecretsFolder),
    ...files.map(
      ({ path, variables }) => `${path}: ${variables === undefined ? "does not exist" : countVariables(variables)}`,
    ),
  ];
}

function describeEsc(esc: EscStatus, layers: readonly Layer[]): readonly string[] {
  switch (esc.kind) {
    case "off":
      return ["ESC: not configured"];
    case "fake":
      return ["ESC: not asked (--fake)"];
    case "read": {
      // The layers are in the order of precedence, which is the reverse of the order of ESC_ENV.
      const layersInOrder = layers.toReversed();
      return esc.environments.map(
        (environment, index) =>
          `ESC ${escEnvironmentWords(environment)}: ${countVariables(layersInOrder[index]?.variables.length ?? 0)}`,
      );
    }
    case "incomplete":
    case "unconsented":
    case "unavailable":
    case "refused":
      return [];
  }
}

/** Returns the line of a layer with the values of a folder of secrets; none for another layer. */
function describeSecretsFolder({ variables }: Layer): readonly string[] {
  const [first] = variables;
  return first?.origin.source === "secrets"
    ? [`${parentOf(first.origin.file)}: ${countVariables(variables.length)}`]
    : [];
}

function countVariables(variables: number): string {
  return count(variables, "variable");
}
