/** Whether what an environment gives may end with its session. */
import { type Fields, fieldsOf } from "../transport/answer.ts";
import { childSchemas } from "./schema.ts";

/** By which providers make credentials for a session: `fn::open`, `fn::open::aws-login`. */
const OPENS = /^fn::open\b/;
/** Both hold what becomes variables. */
const GROUPS = ["environmentVariables", "files"] as const;

/**
 * Whether providers may have made credentials for the session that was read, which are not valid beyond it. Where the
 * answer does not tell, as of imports whose expressions it does not show, they may.
 */
export function mayMint(answer: Fields): boolean {
  const { exprs, properties } = answer;
  const counts = fieldsOf(fieldsOf(answer["environmentFunctionSummary"])?.["funcCounts"]);
  if (Object.entries(counts ?? {}).some(([name, count]) => OPENS.test(name) && count !== 0)) return true;
  if (callsProvider(exprs)) return true;
  return !isShown(properties ?? {}, exprs ?? {}) && !isConstant(answer);
}

/** Whether a function that opens something stands anywhere in the expressions. */
function callsProvider(exprs: unknown): boolean {
  const left: unknown[] = [exprs];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one !== "object" || one === null) continue;
    const name = fieldsOf(fieldsOf(one)?.["builtin"])?.["name"];
    if (typeof name === "string" && OPENS.test(name)) return true;
    left.push(...Object.values(one));
  }
  return false;
}

/** Whether the expressions show all that there is a value of: none is an import's. */
function isShown(values: unknown, exprs: unknown): boolean {
  const expressions = fieldsOf(exprs);
  return Object.entries(fieldsOf(values) ?? {}).every(([name, value]) => {
    const expression = expressions?.[name];
    if (expression === undefined) return false;
    const members = fieldsOf(fieldsOf(expression)?.["object"]);
    return members === undefined || isShown(fieldsOf(value)?.["value"], members);
  });
}

/** Whether the schema says of all variables that they are always the same, as it does of what stands in definitions. */
function isConstant(answer: Fields): boolean {
  return GROUPS.every((group) => {
    const schemas = childSchemas(answer, group);
    const values = fieldsOf(fieldsOf(fieldsOf(answer["properties"])?.[group])?.["value"]);
    return Object.keys(values ?? {}).every((name) => fieldsOf(schemas.get(name))?.["const"] !== undefined);
  });
}
