/** What a variable is to be: a child of `values.environmentVariables`. */
export type Change =
  | { readonly kind: "value"; readonly name: string; readonly value: string; readonly secret: boolean }
  /** What `nodeOf` gave for another revision of the same environment. */
  | { readonly kind: "node"; readonly name: string; readonly text: string };
