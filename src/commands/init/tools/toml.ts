/** Parses TOML of other programs: the file of secretspec, the settings of Codex, and pyproject.toml. */
import { parse, TomlError } from "smol-toml";

/**
 * The limit on nested arrays and inline tables. The parser calls itself for each level, and a hostile file could exhaust
 * the stack.
 */
const MAX_DEPTH = 32;

/** A text is not TOML. The message quotes nothing of the text, which may contain secrets. */
export class TomlSyntaxError extends Error {}

/**
 * Parses a document such as `[tool.uv]` and `name = "app"`. Its tables become objects without a prototype, and integers
 * become bigints.
 *
 * @throws TomlSyntaxError with the position of the first fault
 */
export function parseToml(text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text, { maxDepth: MAX_DEPTH, integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new TomlSyntaxError(`it is not TOML that init understands (line ${error.line}, column ${error.column})`);
  }
}
