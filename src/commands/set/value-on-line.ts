/** Returns message and hint for a value among the arguments of `set`. @param name of the variable, or NAME */
export function valueOnLine(name: string): readonly [message: string, hint: string] {
  return [
    "set takes no value on the command line, where shells and ps(1) expose it",
    `sophia-run set ${name} asks for it; sophia-run set ${name} < FILE reads it`,
  ];
}
