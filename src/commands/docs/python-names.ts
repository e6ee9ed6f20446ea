const KEYWORDS = [
  ["false", "none", "true", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del"],
  ["elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal"],
  ["not", "or", "pass", "raise", "return", "try", "while", "with", "yield"],
].flat();

/** Attributes of the generated classes and of pydantic's models. */
const TAKEN = [
  ["from_environment", "copy", "json", "dict", "schema", "schema_json", "construct", "validate", "parse_obj"],
  ["parse_raw", "parse_file", "from_orm", "update_forward_refs", "settings_customise_sources"],
  ["model_config", "model_fields", "model_fields_set", "model_computed_fields", "model_construct", "model_copy"],
  ["model_dump", "model_dump_json", "model_extra", "model_json_schema", "model_parametrized_name", "model_post_init"],
  ["model_rebuild", "model_validate", "model_validate_json", "model_validate_strings"],
  ["field", "str", "int", "float", "bool", "classmethod", "os"],
].flat();

/** Returns `qdrant_url` for `QDRANT_URL`. A name that is already used gets an underscore at its end. */
export function attributeNames(variables: readonly string[]): ReadonlyMap<string, string> {
  const used = new Set([...KEYWORDS, ...TAKEN]);
  return new Map(
    variables.map((variable) => {
      const plain = variable.toLowerCase().replaceAll(/\W/g, "_").replace(/^_+/, "");
      let attribute = /^[a-z]/.test(plain) ? plain : `variable_${plain}`;
      while (used.has(attribute)) attribute += "_";
      used.add(attribute);
      return [variable, attribute];
    }),
  );
}
