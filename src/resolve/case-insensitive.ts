/**
 * Handles names of variables on Windows, where `Path` and `PATH` are one variable. Before it is decided which source wins, each name gets
 * one spelling in all layers, and maps are replaced by maps that find a name in any case. Only Windows loads this file.
 */
import type { Contract } from "../contract/contract-model.ts";
import { mayRunCode } from "../trust/code-variables.ts";
import { isKeyAddress, isSentKey } from "../trust/key-addresses.ts";
import { isLineLocation, type Layer, type Notice, type Resolution, type Variable } from "../core/model.ts";
import { FoldedMap, foldName } from "../core/names.ts";
import { mayDecideNetwork } from "../trust/network-variables.ts";
import { printable } from "../core/text.ts";
import { ID_TOKEN_VARIABLES } from "../esc/settings/own-variables.ts";
import { MARKED_VARIABLES } from "../esc/settings/from-files.ts";
import { isReserved } from "./reserved-names.ts";
import type { WindowsNameRules } from "./select.ts";
import { originWords } from "./source-words.ts";

/** The variables that programs of Windows need to start or to find their files. `--pristine` passes them on. */
const BASELINE: ReadonlySet<string> = new Set(
  [
    ["SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS", "TEMP", "TMP"],
    ["USERPROFILE", "USERNAME", "USERDOMAIN", "COMPUTERNAME", "HOMEDRIVE", "HOMEPATH", "PUBLIC"],
    ["APPDATA", "LOCALAPPDATA", "ALLUSERSPROFILE", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432"],
    ["COMMONPROGRAMFILES", "COMMONPROGRAMFILES(X86)", "COMMONPROGRAMW6432"],
    ["PROCESSOR_ARCHITECTURE", "NUMBER_OF_PROCESSORS"],
  ].flat(),
);

export const WINDOWS_NAME_RULES: WindowsNameRules = { fold: foldName, isBaseline: (folded) => BASELINE.has(folded) };

/** Returns the spelling of a name that sophia-run's own rules use, such as `PATH` for `Path`. Other names are returned unchanged. */
export function spellByRules(name: string): string {
  const folded = foldName(name);
  return folded === name || hasMeaningInThisCase(name) || !hasRuleInUpperCase(folded) ? name : folded;
}

/** Spells the names of each layer by sophia-run's own rules. */
export function spellLayersByRules(layers: readonly Layer[]): readonly Layer[] {
  return layers.map((layer) => respellLayer(layer, spellByRules, () => {}));
}

/** Returns a resolution that finds each name in any case. */
export function foldResolution(resolution: Resolution): Resolution {
  return new FoldedMap(resolution);
}

/** Returns a contract that finds each declared name in any case. */
export function foldContract(contract: Contract): Contract {
  const { variables, aliases, deprecated } = contract;
  return {
    ...contract,
    variables: new FoldedMap(variables),
    aliases: new FoldedMap(aliases),
    deprecated: new FoldedMap(deprecated),
  };
}

/**
 * Gives each name one spelling in all layers: that of sophia-run's own rules, else the contract's, else that of the first layer
 * with the name. The first layer is the process environment, whose spelling programs expect.
 *
 * If one layer has two spellings of a name, only one of the variables is used, and a notice says which: in a file the variable on the
 * last line, in other sources the first variable.
 */
export function unifySpellings(
  layers: readonly Layer[],
  { variables, aliases }: Contract,
): { readonly layers: readonly Layer[]; readonly notices: readonly Notice[] } {
  const spellings = new Map<string, string>();
  for (const name of [...variables.keys(), ...aliases.keys()]) spellings.set(foldName(name), spellByRules(name));
  const spell = (name: string): string => {
    const folded = foldName(name);
    const spelled = spellings.get(folded) ?? spellByRules(name);
    spellings.set(folded, spelled);
    return spelled;
  };
  const notices: Notice[] = [];
  return {
    layers: layers.map((layer) =>
      respellLayer(layer, spell, (used, ignored) => {
        notices.push(sameVariableNotice(used, ignored));
      }),
    ),
    notices,
  };
}

/** Returns the notice that two spellings in one layer are one variable. */
function sameVariableNotice(used: Variable, ignored: Variable): Notice {
  const [usedWords, ignoredWords] = [used, ignored].map(
    ({ name, origin }) => `${printable(name)} of ${originWords(origin)}`,
  );
  return { kind: "remark", text: `${usedWords} and ${ignoredWords} are one variable on Windows; the former is used` };
}

/** Spells each name of a layer by `spell`, and reports each pair of variables that become one. */
function respellLayer(
  layer: Layer,
  spell: (name: string) => string,
  report: (used: Variable, ignored: Variable) => void,
): Layer {
  const variables = new Map<string, Variable>();
  for (const variable of layer.variables) {
    const name = spell(variable.name);
    const previous = variables.get(name);
    const isUsed = previous === undefined || lineOf(variable) > lineOf(previous);
    if (previous !== undefined) report(isUsed ? variable : previous, isUsed ? previous : variable);
    if (isUsed) variables.set(name, name === variable.name ? variable : { ...variable, name });
  }
  return { ...layer, variables: [...variables.values()] };
}

/** Returns the line of a variable in its file; 0 for sources without lines, so that their first variable is used. */
function lineOf({ origin }: Variable): number {
  return isLineLocation(origin) ? origin.line : 0;
}

/** Returns true for a name such as `http_proxy`, which tools of other systems read only in this spelling. */
function hasMeaningInThisCase(name: string): boolean {
  return MARKED_VARIABLES.includes(name) || mayRunCode(name) || mayDecideNetwork(name);
}

/** Returns true for a name in upper case for which sophia-run has a rule of its own. */
function hasRuleInUpperCase(folded: string): boolean {
  return (
    isReserved({ name: folded, origin: { source: "fake" } }, never, never) ||
    MARKED_VARIABLES.includes(folded) ||
    ID_TOKEN_VARIABLES.some((name) => name === folded) ||
    mayRunCode(folded) ||
    isSentKey(folded) ||
    isKeyAddress(folded) ||
    mayDecideNetwork(folded)
  );
}

function never(): boolean {
  return false;
}
