/**
 * Recognizes variables that replace the address to which a client library sends its API key, such as `OPENAI_BASE_URL`. By such a
 * variable in its `.env` file, a cloned repository could have the user's key sent to its own server (CVE-2026-21852), even a key
 * that the client reads from a file. Services whose address the user must always set (`QDRANT_URL`, `VAULT_ADDR`) are not listed.
 * The file is loaded only if a name suggests that it is needed; see suspects.ts.
 */
import { isLoopback } from "../core/url.ts";

/** A service to which client libraries send keys. */
interface Service {
  /** The variables of its keys. In `SERVICES`, `NAME_API_KEY` is not listed, but also a key. */
  readonly keys: readonly string[];
  /**
   * The service's own hosts, separated by spaces. `*.` stands for any names below a domain in which only the service registers
   * names.
   */
  readonly hosts: string;
}

const GITHUB_KEYS = ["GITHUB_TOKEN", "GH_TOKEN", "GITHUB_PAT", "GH_FINE_GRAINED_TOKEN"];
const GOOGLE_KEYS = ["GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"];
const GOOGLE_HOST = "generativelanguage.googleapis.com";
const AWS_KEYS = ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"];
const GOOGLE_CLOUD_KEYS = ["CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS"];
const LANGSMITH_HOSTS = "api.smith.langchain.com *.api.smith.langchain.com";
const LANGFUSE_HOSTS = "cloud.langfuse.com us.cloud.langfuse.com hipaa.cloud.langfuse.com";
const DATADOG_HOSTS = "*.datadoghq.com *.datadoghq.eu *.ddog-gov.com datadoghq.com datadoghq.eu ddog-gov.com";

/**
 * The services by the first part of their variables: `OPENAI` stands for OPENAI_BASE_URL and OPENAI_API_KEY. Each row has this part,
 * the hosts, and the variables of further keys. The hosts are empty if the service has no fixed ones.
 */
export const SERVICES: ReadonlyMap<string, Service> = new Map(
  (
    [
      ["AI_GATEWAY", "ai-gateway.vercel.sh", "VERCEL_OIDC_TOKEN"],
      ["ANTHROPIC", "api.anthropic.com", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
      ["ANTHROPIC_BEDROCK", "", "AWS_BEARER_TOKEN_BEDROCK"],
      ["ANTHROPIC_FOUNDRY", "", "ANTHROPIC_FOUNDRY_AUTH_TOKEN"],
      ["ANTHROPIC_VERTEX", "", "ANTHROPIC_AUTH_TOKEN"],
      ["ASSEMBLYAI", "api.assemblyai.com api.eu.assemblyai.com"],
      ["BRAINTRUST", "api.braintrust.dev"],
      ["CEREBRAS", "api.cerebras.ai"],
      ["CLAUDE_CODE", "api.anthropic.com", "CLAUDE_CODE_OAUTH_TOKEN"],
      ["CLOUDFLARE", "api.cloudflare.com", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_EMAIL", "CF_API_TOKEN"],
      ["CO", "api.cohere.com api.cohere.ai", "COHERE_API_KEY"],
      ["COHERE", "api.cohere.com api.cohere.ai", "CO_API_KEY"],
      ["COMET", "www.comet.com"],
      ["CURSOR", "api2.cursor.sh"],
      ["DASHSCOPE", "dashscope.aliyuncs.com dashscope-intl.aliyuncs.com"],
      ["DEEPGRAM", "api.deepgram.com"],
      ["DEEPSEEK", "api.deepseek.com"],
      ["DOPPLER", "api.doppler.com", "DOPPLER_TOKEN"],
      ["E2B", "api.e2b.dev api.e2b.app", "E2B_ACCESS_TOKEN"],
      ["ELEVENLABS", "api.elevenlabs.io", "ELEVEN_API_KEY"],
      ["EXA", "api.exa.ai"],
      ["FIRECRAWL", "api.firecrawl.dev"],
      ["FIREWORKS", "api.fireworks.ai"],
      ["FLY", "api.fly.io", "FLY_API_TOKEN", "FLY_ACCESS_TOKEN"],
      ["FLY_FLAPS", "api.machines.dev", "FLY_API_TOKEN", "FLY_ACCESS_TOKEN"],
      ["GEMINI", GOOGLE_HOST, ...GOOGLE_KEYS],
      ["GITHUB", "api.github.com github.com", ...GITHUB_KEYS],
      ["GITLAB", "gitlab.com", "GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN"],
      ["GOOGLE_GEMINI", GOOGLE_HOST, "GEMINI_API_KEY", ...GOOGLE_KEYS],
      ["GOOGLE_VERTEX", "aiplatform.googleapis.com", ...GOOGLE_KEYS, "GOOGLE_APPLICATION_CREDENTIALS"],
      ["GROQ", "api.groq.com"],
      ["HELICONE", "oai.helicone.ai ai-gateway.helicone.ai"],
      ["HEX", "hex.pm"],
      ["HF", "huggingface.co", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN"],
      ["HONEYCOMB", "api.honeycomb.io api.eu1.honeycomb.io", "HONEYCOMB_WRITE_KEY"],
      ["JINA", "api.jina.ai"],
      ["LANGCHAIN", LANGSMITH_HOSTS, "LANGSMITH_API_KEY"],
      ["LANGFUSE", LANGFUSE_HOSTS, "LANGFUSE_SECRET_KEY", "LANGFUSE_PUBLIC_KEY"],
      ["LANGSMITH", LANGSMITH_HOSTS, "LANGCHAIN_API_KEY"],
      ["LITELLM_PROXY", "", "LITELLM_API_KEY", "LITELLM_MASTER_KEY"],
      ["MISTRAL", "api.mistral.ai"],
      ["MOONSHOT", "api.moonshot.ai api.moonshot.cn"],
      ["NEON", "console.neon.tech"],
      ["NVIDIA", "integrate.api.nvidia.com"],
      ["OPENAI", "api.openai.com eu.api.openai.com us.api.openai.com", "OPENAI_ADMIN_KEY"],
      ["OPENROUTER", "openrouter.ai"],
      ["PERPLEXITY", "api.perplexity.ai", "PPLX_API_KEY"],
      ["PINECONE", "api.pinecone.io"],
      ["PORTKEY", "api.portkey.ai"],
      ["REPLICATE", "api.replicate.com", "REPLICATE_API_TOKEN"],
      ["RESEND", "api.resend.com"],
      ["SAMBANOVA", "api.sambanova.ai"],
      ["SENTRY", "sentry.io us.sentry.io de.sentry.io", "SENTRY_AUTH_TOKEN"],
      ["SERPER", "google.serper.dev"],
      ["SLACK", "slack.com", "SLACK_BOT_TOKEN", "SLACK_TOKEN", "SLACK_APP_TOKEN"],
      ["STRIPE", "api.stripe.com", "STRIPE_SECRET_KEY"],
      ["TAVILY", "api.tavily.com"],
      ["TOGETHER", "api.together.xyz api.together.ai"],
      ["VERCEL", "api.vercel.com", "VERCEL_TOKEN"],
      ["VOYAGE", "api.voyageai.com"],
      ["WANDB", "api.wandb.ai"],
      ["XAI", "api.x.ai"],
    ] as const
  ).map(([name, hosts, ...keys]) => [name, { hosts, keys }]),
);

/** Matches the names of most addresses, such as `OPENAI_BASE_URL` and `GROQ_API_URL`. Its group is the first part. */
const ADDRESS_NAME =
  /^([A-Z\d_]+?)_(?:BASE_?URL|API_(?:BASE(?:_URL)?|URL|HOST|ENDPOINT)|(?:INFERENCE_)?ENDPOINT(?:_URL)?)$/;

/** The services whose addresses have names of other forms, by these names. */
const OTHER_ADDRESSES: ReadonlyMap<string, Service> = new Map([
  ["AMP_URL", { hosts: "ampcode.com", keys: ["AMP_API_KEY"] }],
  [
    "ANTHROPIC_HOST",
    { hosts: "api.anthropic.com", keys: ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"] },
  ],
  ["AWS_BEDROCK_RUNTIME_ENDPOINT", { hosts: "", keys: AWS_KEYS }],
  ["CLOUDSDK_AUTH_TOKEN_HOST", { hosts: "oauth2.googleapis.com accounts.google.com", keys: GOOGLE_CLOUD_KEYS }],
  ["CLOUDSDK_CORE_UNIVERSE_DOMAIN", { hosts: "googleapis.com", keys: GOOGLE_CLOUD_KEYS }],
  ["CODE_ASSIST_ENDPOINT", { hosts: "cloudcode-pa.googleapis.com", keys: ["GOOGLE_CLOUD_ACCESS_TOKEN"] }],
  ["COREPACK_NPM_REGISTRY", { hosts: "", keys: ["COREPACK_NPM_TOKEN"] }],
  ["CONTAINER_HOST", { hosts: "", keys: [] }],
  ["COMET_URL_OVERRIDE", { hosts: "www.comet.com", keys: ["COMET_API_KEY"] }],
  ["DD_DD_URL", { hosts: DATADOG_HOSTS, keys: ["DD_API_KEY"] }],
  ["DD_SITE", { hosts: DATADOG_HOSTS, keys: ["DD_API_KEY", "DD_APP_KEY"] }],
  ["DD_URL", { hosts: DATADOG_HOSTS, keys: ["DD_API_KEY"] }],
  ["DOCKER_HOST", { hosts: "", keys: [] }],
  ["GH_HOST", { hosts: "github.com", keys: ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"] }],
  ["GITHUB_GRAPHQL_URL", { hosts: "api.github.com", keys: GITHUB_KEYS }],
  ["GITLAB_HOST", { hosts: "gitlab.com", keys: ["GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN"] }],
  ["GITLAB_URI", { hosts: "gitlab.com", keys: ["GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN"] }],
  ["GL_HOST", { hosts: "gitlab.com", keys: ["GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN"] }],
  ["GOOGLE_CLOUD_UNIVERSE_DOMAIN", { hosts: "googleapis.com", keys: GOOGLE_CLOUD_KEYS }],
  ["LANGFUSE_HOST", { hosts: LANGFUSE_HOSTS, keys: ["LANGFUSE_SECRET_KEY", "LANGFUSE_PUBLIC_KEY"] }],
  ["MODAL_SERVER_URL", { hosts: "api.modal.com", keys: ["MODAL_TOKEN_SECRET"] }],
  ["NEW_RELIC_HOST", { hosts: "*.nr-data.net *.newrelic.com", keys: ["NEW_RELIC_LICENSE_KEY"] }],
  ["OPENAI_HOST", { hosts: "api.openai.com", keys: ["OPENAI_API_KEY", "OPENAI_ADMIN_KEY"] }],
  ["OPIK_URL_OVERRIDE", { hosts: "www.comet.com", keys: ["OPIK_API_KEY"] }],
  ["PORTKEY_PROXY", { hosts: "", keys: ["PORTKEY_API_KEY"] }],
  ["PULUMI_API", { hosts: "api.pulumi.com", keys: ["PULUMI_ACCESS_TOKEN"] }],
  ["RUBYGEMS_HOST", { hosts: "", keys: ["GEM_HOST_API_KEY"] }],
  ["SENTRY_URL", { hosts: "sentry.io us.sentry.io de.sentry.io", keys: ["SENTRY_API_KEY", "SENTRY_AUTH_TOKEN"] }],
  ["SNYK_API", { hosts: "snyk.io *.snyk.io", keys: ["SNYK_TOKEN"] }],
  ["TWINE_REPOSITORY_URL", { hosts: "", keys: ["TWINE_PASSWORD"] }],
  ["UV_PUBLISH_URL", { hosts: "", keys: ["UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD"] }],
  ["YARN_NPM_REGISTRY_SERVER", { hosts: "", keys: ["YARN_NPM_AUTH_TOKEN"] }],
]);

/** Matches the names of the addresses of Amazon's services: `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`. */
const AWS_ADDRESS_NAME = /^AWS_ENDPOINT_URL(?:_[A-Z\d_]+)?$/;

/** Matches the names of the addresses of Google Cloud's services. */
const GOOGLE_CLOUD_ADDRESS_NAME = /^CLOUDSDK_API_ENDPOINT_OVERRIDES_[A-Z\d_]+$/;

/** Returns the service whose address this variable replaces; undefined for other variables. */
function serviceOf(name: string): Service | undefined {
  if (GOOGLE_CLOUD_ADDRESS_NAME.test(name)) return { hosts: "*.googleapis.com", keys: GOOGLE_CLOUD_KEYS };
  if (AWS_ADDRESS_NAME.test(name)) return { hosts: "", keys: AWS_KEYS };
  const prefix = ADDRESS_NAME.exec(name)?.[1] ?? "";
  const service = SERVICES.get(prefix);
  if (service === undefined) return OTHER_ADDRESSES.get(name);
  return { ...service, keys: [`${prefix}_API_KEY`, ...service.keys] };
}

/** Returns true if the tables list the variable as an address, even if no variable has the key: the client may read it from a file. */
export function isKeyAddress(name: string): boolean {
  return serviceOf(name) !== undefined;
}

/** Returns the variables whose keys client libraries send to the address in this variable; none for other variables. */
export function keysSentTo(name: string): readonly string[] {
  return serviceOf(name)?.keys ?? [];
}

/** Returns true for a key that client libraries send to the address in another variable. */
export function isSentKey(name: string): boolean {
  const hasKey = ({ keys }: Service): boolean => keys.includes(name);
  return (
    Array.from(SERVICES).some(([prefix, service]) => name === `${prefix}_API_KEY` || hasKey(service)) ||
    Array.from(OTHER_ADDRESSES.values()).some(hasKey) ||
    AWS_KEYS.includes(name) ||
    GOOGLE_CLOUD_KEYS.includes(name)
  );
}

/**
 * Matches an http URL without user name, backslash and space, in which all URL parsers find the same host. Its groups are the scheme
 * and the host.
 */
const PLAIN_URL = /^(https?):\/\/([\w.-]+|\[[\da-f:]+\])(?::\d{1,5})?(?:[/?#][^\\@\s]*)?$/i;

/** Returns true for a URL whose host is this machine for every URL parser. */
export function isLoopbackUrl(text: string): boolean {
  const host = PLAIN_URL.exec(text.trim())?.[2];
  return host !== undefined && isLoopback(host.toLowerCase());
}

/** Matches Amazon's own hosts, such as `s3.us-east-1.amazonaws.com`. A host with more names before the region may be a customer's. */
const AMAZON_HOST = /^[a-z\d-]+\.[a-z]{2}(?:-[a-z]+)+-\d\.amazonaws\.com$/;

/** Returns true if this value of the variable is an address of this machine or of the service itself. */
export function isHarmlessAddress(name: string, text: string): boolean {
  const value = text.trim();
  if (value === "" || isLoopbackUrl(value)) return true;
  const isLocalSocket = /^(?:unix|npipe):\/\//.test(value);
  if (isLocalSocket) return true;
  const host = hostOf(value);
  if (isLoopback(host)) return true;
  if (AWS_ADDRESS_NAME.test(name) && AMAZON_HOST.test(host)) return true;
  return (serviceOf(name)?.hosts ?? "").split(" ").some((pattern) => {
    if (pattern.startsWith("*.")) return host.endsWith(pattern.slice(1));
    return pattern !== "" && host === pattern;
  });
}

/** Returns the host of an https URL, or of a value that is a host alone; empty for any other value. */
function hostOf(value: string): string {
  if (/^[\w.-]+$/.test(value)) return value.toLowerCase();
  const [, scheme = "", host = ""] = PLAIN_URL.exec(value) ?? [];
  return scheme.toLowerCase() === "https" ? host.toLowerCase() : "";
}

/**
 * Matches the first parts of addresses that a `.env` file may always set: services with another address for each user, variables that a
 * bundler makes public in the browser, and parts of an application, such as `APP_URL`, whose `APP_KEY` is not sent to any address.
 */
const CONFIGURABLE_PREFIX =
  /^(?:AZURE\w*|QDRANT|VAULT|WEAVIATE|MILVUS|ZILLIZ|CHROMA|ELASTIC(?:SEARCH)?|OPENSEARCH|SOLR|MEILI(?:SEARCH)?|TYPESENSE|SUPABASE|APPWRITE|POCKETBASE|HASURA|DATABRICKS|SNOWFLAKE|CLICKHOUSE|INFLUX(?:DB)?|TURSO|UPSTASH\w*|REDIS|NATS|KEYCLOAK|AUTH0|OKTA|COGNITO|MINIO|S3|LIVEKIT|N8N|DIRECTUS|STRAPI|GRAFANA|LOKI|JIRA|CONFLUENCE|ATLASSIAN|JENKINS|ARTIFACTORY|NEXUS|SONAR|UNLEASH|FLAGSMITH|OLLAMA|VLLM|LITELLM|MLFLOW\w*|TEMPORAL|APP|SITE|WEB|FRONTEND|CLIENT|SERVER|PROJECT|(?:NEXT|NUXT|EXPO|PLASMO)_PUBLIC\w*|PUBLIC\w*|VITE\w*|REACT_APP\w*|VUE_APP\w*|GATSBY\w*|NG_APP\w*)$/;

/** Matches the names of addresses of unknown services: the same names as `ADDRESS_NAME`, and `…_HOST`. */
const ADDRESS_OR_HOST_NAME =
  /^([A-Z\d_]{1,64}?)_(?:BASE_?URL|API_(?:BASE(?:_URL)?|URL|HOST|ENDPOINT)|ENDPOINT(?:_URL)?|HOST)$/;

/**
 * Returns the first part of a name that looks like the name of an address: `ACME` for ACME_BASE_URL. A client library may send
 * ACME_KEY to this address. @returns undefined if the name has another form, or the value is not an http URL of another machine
 */
export function prefixByForm(name: string, value: string): string | undefined {
  if (!/^\s*https?:\/\//i.test(value) || isLoopbackUrl(value)) return undefined;
  const prefix = ADDRESS_OR_HOST_NAME.exec(name)?.[1];
  return prefix === undefined || CONFIGURABLE_PREFIX.test(prefix) ? undefined : prefix;
}

/**
 * Returns the first parts that the names of addresses may have if a client library sends this key to them: `A` and `A_B` for A_B_KEY.
 */
export function prefixesOfKey(name: string): readonly string[] {
  if (!/(?:KEY|TOKEN|SECRET|PASSWORD|PAT|HEADERS|CREDENTIALS?)$/.test(name)) return [];
  const prefixes: string[] = [];
  // A prefix ends before each underscore, and has at most 64 characters.
  for (let end = name.indexOf("_"); end > 0 && end <= 64; end = name.indexOf("_", end + 1)) {
    prefixes.push(name.slice(0, end));
  }
  return prefixes;
}

/** All names of addresses, and the patterns of all others. The generator of `suspect-names.ts` needs them. */
export const ADDRESS_NAMES: readonly string[] = [...OTHER_ADDRESSES.keys()];
export const ADDRESS_FORMS: readonly RegExp[] = [ADDRESS_NAME, AWS_ADDRESS_NAME, GOOGLE_CLOUD_ADDRESS_NAME];
