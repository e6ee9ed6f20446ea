/** The formats that the types of pydantic give to variables, as contracts write them; pure. */
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { between, numberIn, partsOf, stringIn } from "./expressions.ts";
import { enumOf, numeric, textOf, type NumberRange } from "./type-formats.ts";
import { firstMatches } from "./reads.ts";

/** The schemes that pydantic 2 admits for each type of URL. */
const SCHEMES: Readonly<Record<string, readonly string[]>> = {
  HttpUrl: ["http", "https"],
  AnyHttpUrl: ["http", "https"],
  WebsocketUrl: ["ws", "wss"],
  AnyWebsocketUrl: ["ws", "wss"],
  FtpUrl: ["ftp"],
  PostgresDsn: [
    "postgres",
    "postgresql",
    ...drivers("postgresql", "asyncpg pg8000 psycopg psycopg2 psycopg2cffi py-postgresql pygresql"),
  ],
  CockroachDsn: ["cockroachdb", "cockroachdb+psycopg2", "cockroachdb+asyncpg"],
  MySQLDsn: ["mysql", ...drivers("mysql", "mysqlconnector aiomysql asyncmy mysqldb pymysql cymysql pyodbc")],
  MariaDBDsn: ["mariadb", "mariadb+mariadbconnector", "mariadb+pymysql"],
  RedisDsn: ["redis", "rediss"],
  MongoDsn: ["mongodb", "mongodb+srv"],
  AmqpDsn: ["amqp", "amqps"],
  KafkaDsn: ["kafka"],
  NatsDsn: ["nats", "tls", "ws", "wss"],
  ClickHouseDsn: ["clickhouse", "clickhouses", "clickhousedb", ...drivers("clickhouse", "native asynch http")],
};

function drivers(database: string, names: string): readonly string[] {
  return names.split(" ").map((name) => `${database}+${name}`);
}

/** Types of whole numbers, each with what its name says of the range. */
const INTEGERS: Readonly<Record<string, NumberRange>> = {
  int: {},
  StrictInt: {},
  conint: {},
  PositiveInt: { minimum: 1 },
  NonNegativeInt: { minimum: 0 },
  NegativeInt: { maximum: -1 },
  NonPositiveInt: { maximum: 0 },
};
const NUMBERS: Readonly<Record<string, NumberRange>> = {
  float: {},
  confloat: {},
  PositiveFloat: { minimum: 0 },
  NonNegativeFloat: { minimum: 0 },
  NonPositiveFloat: { maximum: 0 },
};

/** A choice of texts by the name of its class. */
export type Enums = ReadonlyMap<string, readonly string[]>;

/** Finds `class Level(StrEnum):` and `class Level(str, Enum):` whose members are all texts. */
export function enumsIn(code: string): Enums {
  if (!code.includes("Enum")) return new Map();
  const classes = firstMatches(
    code,
    /^class (\w+)\(\s*(?:(?:enum\.)?StrEnum|str\s*,\s*(?:enum\.)?Enum)\s*\):.*\n((?:(?:[ \t].*)?\n|[ \t].*$)*)/gm,
  );
  return new Map(
    classes.flatMap(([, name = "", body = ""]) => {
      const values = firstMatches(body, /^[ \t]{1,40}\w+[ \t]*=[ \t]*(.*)$/gm).map(([, value = ""]) =>
        stringIn(value.replace(/[ \t]#.*$/, "")),
      );
      const texts = values.filter((value) => value !== undefined);
      return texts.length === 0 || texts.length < values.length ? [] : [[name, texts] as const];
    }),
  );
}

const NONE: ReadonlySet<string> = new Set();

/** Returns the fields whose raw text a validator may change first: their types say nothing about it. */
export function looseFieldsIn(body: string): ReadonlySet<string> {
  // Most classes have none, and a file may have thousands.
  if (!body.includes("validator(")) return NONE;
  const validators = firstMatches(body, /@(?:\w+\.)?(?:field_validator|validator)\(([^()]{0,1000})\)/g);
  return new Set(
    validators.flatMap(([, given = ""]) => {
      const isLoose = /\bmode\s*=\s*["'](?:before|plain|wrap)["']|\bpre\s*=\s*True/.test(given);
      return isLoose ? partsOf(given).flatMap((part) => stringIn(part) ?? []) : [];
    }),
  );
}

/** Longer types, which nest, would be read several times. */
const LONGEST_TYPE = 500;

/**
 * Returns the format of a field by its annotation and by the call of `Field()` behind it.
 *
 * @param name that of the variable
 * @returns undefined if the type says nothing that a contract can say, or if the field has several types
 */
export function pydanticFormat(type: string, value: string, name: string, enums: Enums): FormatEntry | undefined {
  if (type.length > LONGEST_TYPE) return undefined;
  let annotation = type.trim();
  let constraints = value;
  const quoted = stringIn(annotation);
  if (quoted !== undefined) annotation = quoted;
  for (let depth = 0; depth < 3; depth++) {
    const [whole, wrapper] = /^(?:\w+\.)*(Annotated|Optional|Union|Final)\s*(?=\[)/.exec(annotation) ?? [];
    const alternatives =
      wrapper === undefined ? partsOf(annotation, "|") : partsOf(between(annotation, whole?.length ?? 0));
    if (wrapper === "Annotated") constraints += ` ${alternatives.slice(1).join(" ")}`;
    const types = wrapper === "Annotated" ? alternatives.slice(0, 1) : alternatives.filter((one) => one !== "None");
    if (types.length !== 1) return undefined;
    if (wrapper === undefined && types[0] === annotation) break;
    annotation = types[0] ?? "";
  }
  if (/\b(?:Before|Plain|Wrap)Validator\b/.test(constraints)) return undefined;
  const [, base = "", bracket = ""] = /^(?:\w+\.)*(\w+)\s*([[(]?)/.exec(annotation) ?? [];
  const given = bracket === "" ? "" : between(annotation, annotation.indexOf(bracket));
  if (base === "Literal") {
    const values = partsOf(given).map(stringIn);
    return values.includes(undefined) ? undefined : enumOf(values.flatMap((one) => one ?? []));
  }
  const limits = `${constraints} ${bracket === "(" ? given : ""}`;
  const [integer, number] = [ownOf(INTEGERS, base), ownOf(NUMBERS, base)];
  if (integer !== undefined) return numeric("integer", { ...integer, ...rangeIn(limits, 1) }, name);
  if (number !== undefined) return numeric("number", { ...number, ...rangeIn(limits) }, name);
  const schemes = ownOf(SCHEMES, base);
  if (schemes !== undefined) return { type: "url", schemes };
  switch (base) {
    case "bool":
    case "StrictBool":
      return "boolean";
    case "AnyUrl":
      return "url";
    case "EmailStr":
      return "email";
    case "str":
    case "SecretStr":
    case "constr":
      return textOf(undefined, numberIn(/\bmin_length\s*=\s*(\d+)/.exec(limits)?.[1]));
    default:
      return enumOf(enums.get(base));
  }
}

function ownOf<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Reads `ge`, `le`, and of whole numbers `gt` and `lt`. */
function rangeIn(constraints: string, step?: number): NumberRange {
  const limit = (name: string): number | undefined =>
    numberIn(new RegExp(String.raw`\b${name}\s*=\s*(-?\d[\d_.]{0,20})`).exec(constraints)?.[1]);
  const [least, above, most, below] = [limit("ge"), limit("gt"), limit("le"), limit("lt")];
  const minimum = least ?? (above === undefined || step === undefined ? undefined : above + step);
  const maximum = most ?? (below === undefined || step === undefined ? undefined : below - step);
  return { ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}
