import { fieldsOf, type Fields, valueAt } from "../transport/answer.ts";
import { childSchemas } from "./opened-values.ts";

/** Functions by which providers make credentials for a session: `fn::open`, `fn::open::aws-login`. */
const OPENS = /^fn::open\b/;

/** Returns true unless the answer shows that no credentials in it end with the session. */
export function mayMint(answer: Fields): boolean {
  const { exprs, properties } = answer;
  const counts = fieldsOf(valueAt(answer, "environmentFunctionSummary", "funcCounts"));
  if (Object.entries(counts ?? {}).some(([name, count]) => OPENS.test(name) && count !== 0)) return true;
  if (callsProvider(exprs)) return true;
  return !isShown(properties ?? {}, exprs ?? {}) && !isConstant(answer);
}

function callsProvider(exprs: unknown): boolean {
  const left: unknown[] = [exprs];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== "object" || value === null) continue;
    const name = valueAt(value, "builtin", "name");
    if (typeof name === "string" && OPENS.test(name)) return true;
    left.push(...Object.values(value));
  }
  return false;
}

/** Returns true if there is an expression for each value: none is from an import. */
function isShown(values: unknown, exprs: unknown): boolean {
  return Object.entries(fieldsOf(values) ?? {}).every(([name, value]) => {
    const expression = valueAt(exprs, name);
    if (expression === undefined) return false;
    const members = fieldsOf(valueAt(expression, "object"));
    return members === undefined || isShown(valueAt(value, "value"), members);
  });
}

/** Returns true if the schema has all variables as constants: they are written in definitions. */
function isConstant(answer: Fields): boolean {
  return ["environmentVariables", "files"].every((group) => {
    const schemas = childSchemas(answer, group);
    const values = fieldsOf(valueAt(answer, "properties", group, "value"));
    return Object.keys(values ?? {}).every((name) => valueAt(schemas.get(name), "const") !== undefined);
  });
}
