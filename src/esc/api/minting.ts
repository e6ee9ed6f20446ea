/**
 * Decides whether an opened ESC environment may contain credentials that a provider made for the session. Such credentials expire with
 * the session, so the cache must not store them for longer. The answer of ESC shows which functions the definition calls:
 *
 *     aws: { "fn::open::aws-login": { … } }
 */
import { fieldsOf, type Fields, valueAt } from "../transport/answer.ts";
import { childSchemas } from "./opened-values.ts";

/** The functions by which providers make credentials for a session: `fn::open`, `fn::open::aws-login`. */
const OPEN_FUNCTION = /^fn::open\b/;

/** Returns true unless the answer shows that it has no credentials that end with the session. */
export function mayMint(answer: Fields): boolean {
  const { exprs, properties } = answer;
  const counts = fieldsOf(valueAt(answer, "environmentFunctionSummary", "funcCounts"));
  const hasCountedOpen = Object.entries(counts ?? {}).some(([name, count]) => OPEN_FUNCTION.test(name) && count !== 0);
  if (hasCountedOpen || callsProvider(exprs)) return true;
  // Without an expression for each value, a value may be from an import that calls a provider. Constants are from no provider.
  return !hasExpressions(properties ?? {}, exprs ?? {}) && !isConstant(answer);
}

/** Returns true if an expression at any depth calls a provider. */
function callsProvider(exprs: unknown): boolean {
  const pending: unknown[] = [exprs];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== "object" || value === null) continue;
    const name = valueAt(value, "builtin", "name");
    if (typeof name === "string" && OPEN_FUNCTION.test(name)) return true;
    pending.push(...Object.values(value));
  }
  return false;
}

/** Returns true if there is an expression for each value, so that none is from an import. */
function hasExpressions(values: unknown, exprs: unknown): boolean {
  return Object.entries(fieldsOf(values) ?? {}).every(([name, value]) => {
    const expression = valueAt(exprs, name);
    if (expression === undefined) return false;
    const members = fieldsOf(valueAt(expression, "object"));
    return members === undefined || hasExpressions(valueAt(value, "value"), members);
  });
}

/** Returns true if the schema has all variables as constants, which are written in definitions. */
function isConstant(answer: Fields): boolean {
  return ["environmentVariables", "files"].every((group) => {
    const schemas = childSchemas(answer, group);
    const values = fieldsOf(valueAt(answer, "properties", group, "value"));
    return Object.keys(values ?? {}).every((name) => valueAt(schemas.get(name), "const") !== undefined);
  });
}
