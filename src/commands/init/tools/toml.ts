/** TOML of other programs: the file of secretspec, and the settings of Codex. */
import { parse, TomlError } from "smol-toml";

/** Nested arrays and inline tables. Each level is a call of the parser, and a hostile file could exhaust the stack. */
const DEEPEST = 32;

/** A text that is no TOML. Its message quotes nothing of the text, which may hold secrets. */
export class NotToml extends Error {}

/** Returns the tables of a document as objects without a prototype. @throws NotToml with the position of the first fault */
export function parseToml(text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text, { maxDepth: DEEPEST, integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new NotToml(`it is not TOML that init understands (line ${error.line}, column ${error.column})`);
  }
}
