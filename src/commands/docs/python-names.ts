/** Makes the names of Python attributes from those of variables, for the settings class that `sophia-run docs` writes. */

/** The keywords of Python, in lower case like the attributes. */
const KEYWORDS = [
  ["false", "none", "true", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del"],
  ["elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal"],
  ["not", "or", "pass", "raise", "return", "try", "while", "with", "yield"],
].flat();

/**
 * The attributes that the generated classes and pydantic's models have already, and the names that the module itself uses.
 */
const RESERVED_ATTRIBUTES = [
  ["from_environment", "copy", "json", "dict", "schema", "schema_json", "construct", "validate", "parse_obj"],
  ["parse_raw", "parse_file", "from_orm", "update_forward_refs", "settings_customise_sources"],
  ["model_config", "model_fields", "model_fields_set", "model_computed_fields", "model_construct", "model_copy"],
  ["model_dump", "model_dump_json", "model_extra", "model_json_schema", "model_parametrized_name", "model_post_init"],
  ["model_rebuild", "model_validate", "model_validate_json", "model_validate_strings"],
  ["field", "str", "int", "float", "bool", "classmethod", "os"],
].flat();

/**
 * Returns the attribute of each variable, such as `qdrant_url` for `QDRANT_URL`. An attribute that is taken gets
 * underscores at its end.
 */
export function createAttributeNames(variables: readonly string[]): ReadonlyMap<string, string> {
  const usedNames = new Set([...KEYWORDS, ...RESERVED_ATTRIBUTES]);
  return new Map(
    variables.map((variable) => {
      // An attribute with a leading underscore would be private.
      const identifier = variable.toLowerCase().replaceAll(/\W/g, "_").replace(/^_+/, "");
      let attribute = /^[a-z]/.test(identifier) ? identifier : `variable_${identifier}`;
      while (usedNames.has(attribute)) attribute += "_";
      usedNames.add(attribute);
      return [variable, attribute];
    }),
  );
}
