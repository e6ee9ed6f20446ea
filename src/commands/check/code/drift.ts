/**
 * Finds the drift between code and contract for `check --code`: variables that the code reads and the contract does not
 * declare, and those that the contract declares and no code reads.
 */
import { baseOf, compileBrokerEntry } from "../../../contract/broker/entry.ts";
import { namesOfDeclaration } from "../../../contract/check-contract.ts";
import type { Contract, Declaration } from "../../../contract/contract-model.ts";
import { createNameFinder } from "../../../core/suggest.ts";
import type { CodePlace } from "../../parts/code/code-place.ts";
import { findExclusionReason } from "../../parts/code/exclusions.ts";

/** All reads of one variable. */
export interface VariableReads {
  /** True if the code fails without the variable. */
  readonly required: boolean;
  readonly places: readonly CodePlace[];
}

/** The line that declares a variable. */
export interface DeclarationPlace extends CodePlace {
  /**
   * True for `"unread": true`: no code needs to read it. A compiled contract does not have this member, since no start
   * needs it.
   */
  readonly isUnread: boolean;
}

/** A variable that the code reads and the contract does not declare. */
export interface UndeclaredVariable extends VariableReads {
  readonly name: string;
  /** A declared name that it resembles. */
  readonly similarName: string | undefined;
  /** True if the contract declares it, but not in the scope that the user chose by `--scope`. */
  readonly isOutsideScope: boolean;
}

/** A variable that the contract declares and no code reads. */
export interface UnreadVariable {
  readonly name: string;
  /** A name that it resembles, which the code reads and the contract does not declare. */
  readonly similarName: string | undefined;
  /** Undefined for the built-in contract. */
  readonly place: CodePlace | undefined;
}

/** The drift in both directions. */
export interface CodeDrift {
  readonly undeclared: readonly UndeclaredVariable[];
  readonly unread: readonly UnreadVariable[];
}

/**
 * Compares the reads with the contract.
 *
 * @param reads the variables that the code reads, by name
 * @param declarations the places of all declarations, also of those in other profiles
 * @param unmentioned the declared names that appear in no file
 */
export function compareCode(
  contract: Contract,
  reads: ReadonlyMap<string, VariableReads>,
  declarations: ReadonlyMap<string, DeclarationPlace>,
  unmentioned: ReadonlySet<string>,
): CodeDrift {
  const namesOutsideScope = contract.scope?.outside ?? new Set<string>();
  const declaredNames = new Set([...contract.variables.keys(), ...contract.aliases.keys()]);
  const addressNames = new Set(findBrokerAddresses(contract));
  // The declarations also have the variables of other profiles, which the contract of this profile does not have.
  const isKnown = (name: string): boolean =>
    declaredNames.has(name) || addressNames.has(name) || (declarations.has(name) && !namesOutsideScope.has(name));
  const isUndeclared = (name: string): boolean => !isKnown(name) && findExclusionReason(name) === undefined;
  const undeclaredReads = Array.from(reads).filter(([name]) => isUndeclared(name));
  const findSimilarDeclared = createNameFinder(declaredNames);
  const undeclared = undeclaredReads.map(([name, variableReads]) => ({
    name,
    ...variableReads,
    similarName: findSimilarDeclared(name),
    isOutsideScope: namesOutsideScope.has(name),
  }));

  const unreadDeclarations = findUnreadDeclarations(contract, reads, declarations, unmentioned);
  const findSimilarUndeclared = createNameFinder(undeclaredReads.map(([name]) => name));
  const unread = unreadDeclarations.map(({ name }) => ({
    name,
    similarName: findSimilarUndeclared(name),
    place: declarations.get(name),
  }));
  return { undeclared: undeclared.toSorted((a, b) => (a.name < b.name ? -1 : 1)), unread };
}

/**
 * Finds the declarations that the code must read and does not. If any file mentions one of the names, the code may read the variable
 * in a way that sophia-run does not recognize, so the declaration is not reported.
 */
function findUnreadDeclarations(
  contract: Contract,
  reads: ReadonlyMap<string, VariableReads>,
  declarations: ReadonlyMap<string, DeclarationPlace>,
  unmentioned: ReadonlySet<string>,
): readonly Declaration[] {
  const isRead = (name: string): boolean => reads.has(name) || !unmentioned.has(name);
  return Array.from(contract.variables.values()).filter(
    (declaration) =>
      declarations.get(declaration.name)?.isUnread !== true && !namesOfDeclaration(declaration).some(isRead),
  );
}

/**
 * Returns the variables in which a program gets the address of the broker with `--broker`. The contract need not declare
 * them.
 */
function findBrokerAddresses({ variables }: Contract): readonly string[] {
  return Array.from(variables.values()).flatMap((declaration) => {
    const entry = compileBrokerEntry(declaration);
    return entry === undefined ? [] : Object.keys(baseOf(declaration.name, entry));
  });
}
