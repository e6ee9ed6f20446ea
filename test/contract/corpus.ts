/**
 * Names with values as they stand in `.env` files, each with its right answer. No value is real: `{36}` stands for 36
 * letters and digits that are generated here, `{h32}` for hexadecimal digits, `{d10}` for digits, `{A16}` for capital
 * letters and digits from 2 to 7, `{l34}` for letters, `{w20}` for letters, digits, `_` and `-`. So no file of the
 * repository contains the text of a token.
 */
import { createHash } from "node:crypto";

/**
 * `value`: the value is a secret under any name; `name`: only the name shows that the value is a secret; `plain`: the
 * value is no secret.
 */
type Answer = "value" | "name" | "plain";

export interface Row {
  readonly name: string;
  readonly value: string;
  readonly answer: Answer;
  /** The parts of the value that are generated here. */
  readonly random: readonly string[];
}

const BY_VALUE = String.raw`
GHX ghp_{36}
GH_CLI gho_{36}
GH_APP_USER ghu_{36}
GH_INSTALLATION ghs_{36}
GH_REFRESH ghr_{36}
GH_FINE github_pat_{22}_{59}
HEADER Bearer ghp_{36}
CLONE https://x-access-token:ghs_{36}@github.com/acme/app.git
GITLAB glpat-{w20}
GITLAB_DEPLOY gldt-{w20}
GITLAB_RUNNER glrt-{w20}
GITLAB_TRIGGER glptt-{h40}
BITBUCKET ATBB{32}
JIRA ATATT3{w100}
ATLASSIAN ATCTT3{w100}
SLACK_BOT xoxb-{d12}-{d12}-{24}
SLACK_USER xoxp-{d12}-{d12}-{d12}-{h32}
SLACK_APP xapp-1-{A10}-{d13}-{h64}
SLACK_CONFIG xoxe.xoxp-1-{w120}
HOOK https://hooks.slack.com/services/T{A8}/B{A8}/{24}
SLACK_FLOW https://hooks.slack.com/workflows/T{A8}/A{A8}/{d18}/{24}
STRIPE sk_live_{24}
STRIPE_TESTING sk_test_{24}
STRIPE_RESTRICTED rk_live_{24}
STRIPE_HOOK whsec_{32}
CLERK sk_live_{42}
ELEVEN sk_{h48}
SVIX whsec_{31}=
SQUARE sq0atp-{w22}
SQUARE_OAUTH sq0csp-{w43}
SQUARE_NEW EAAA{w60}
META EAA{180}
SHOPIFY shpat_{h32}
SHOPIFY_APP shpss_{h32}
SHOPIFY_CUSTOM shpca_{h32}
AWS AKIA{A16}
AWS_ACCESS_ID AKIA{A16}
AWS_SESSION_ID ASIA{A16}
BEDROCK ABSK{128}
ALIBABA LTAI5t{18}
GOOGLE_MAPS AIza{w35}
FIREBASE AIza{w35}
GOOGLE_OAUTH GOCSPX-{w28}
GCLOUD ya29.{w120}
GOOGLE_REFRESH 1//0{w60}
OPENAI sk-proj-{w60}
OPENAI_OLD sk-{48}
OPENAI_SERVICE sk-svcacct-{w60}
OPENAI_ADMIN sk-admin-{w60}
ANTHROPIC sk-ant-api03-{w90}
CLAUDE_OAUTH sk-ant-oat01-{w90}
OPENROUTER sk-or-v1-{h64}
DEEPSEEK sk-{h32}
LANGFUSE sk-lf-{h8}-{h4}-{h4}-{h4}-{h12}
HUGGING_FACE hf_{l34}
GROQ gsk_{52}
CEREBRAS csk-{a48}
GROK xai-{80}
TAVILY tvly-dev-{32}
PERPLEXITY pplx-{48}
NVIDIA nvapi-{w64}
REPLICATE r8_{37}
RUNPOD rpa_{B32}
FIREWORKS fw_{24}
FIRECRAWL fc-{h32}
E2B e2b_{h40}
JINA jina_{60}
PINECONE pcsk_{70}
LANGSMITH lsv2_pt_{h32}_{h10}
LANGCHAIN ls__{h32}
APIFY apify_api_{36}
NPM npm_{36}
PYPI pypi-AgEIcHlwaS5vcmc{w150}
GEMS rubygems_{h48}
CRATES cio{32}
NUGET oy2{a43}
DOCKER dckr_pat_{w27}
DOCKER_ORG dckr_oat_{w32}
DIGITALOCEAN dop_v1_{h64}
DO_OAUTH doo_v1_{h64}
SENDGRID SG.{w22}.{w43}
TWILIO SK{h32}
MAILGUN key-{h32}
MAILGUN_NEW {h32}-{h8}-{h8}
MAILCHIMP {h32}-us14
RESEND re_{8}_{24}
SENTRY sntrys_{w150}
SENTRY_USER sntryu_{h64}
DSN https://{h32}@o{d6}.ingest.sentry.io/{d7}
SENTRY_OLD https://{h32}:{h32}@sentry.example/4
PULUMI pul-{h40}
VERCEL vcp_{56}
VERCEL_AI vck_{56}
NETLIFY nfp_{36}
RENDER rnd_{28}
HEROKU HRKU-{h8}-{h4}-{h4}-{h4}-{h12}
FLY FlyV1 fm2_{100}
FLY_OAUTH fo1_{w43}
TAILSCALE tskey-auth-{17}-{32}
LINEAR lin_api_{40}
LINEAR_OAUTH lin_oauth_{h64}
NOTION ntn_{46}
NOTION_OLD secret_{43}
FIGMA figd_{w40}
POSTHOG_PERSONAL phx_{43}
GRAFANA glsa_{32}_{h8}
GRAFANA_CLOUD glc_eyJ{100}
NEW_RELIC NRAK-{A27}
DATABRICKS dapi{h32}
VAULT hvs.{w90}
VAULT_BATCH hvb.{w130}
VAULT_OLD s.{24}
TERRAFORM {14}.atlasv1.{w67}
AIRTABLE pat{14}.{h64}
POSTMAN PMAK-{h24}-{h34}
SUPABASE sbp_{h40}
SUPABASE_SERVER sb_secret_{w31}
SUPABASE_SERVICE_ROLE eyJ{30}.eyJ{120}.{w43}
PLANETSCALE pscale_tkn_{w43}
PLANETSCALE_MYSQL pscale_pw_{w43}
DOPPLER dp.pt.{43}
DOPPLER_SERVICE dp.st.dev.{43}
ONE_PASSWORD ops_eyJ{200}
AGE AGE-SECRET-KEY-1{A58}
SOURCEGRAPH sgp_{h16}_{h40}
CIRCLE CCIPAT_{22}_{h40}
INNGEST signkey-prod-{h64}
CLOUDFLARE_ORIGIN v1.0-{h24}-{h146}
MAPBOX_SERVER sk.eyJ{60}.{w22}
DISCORD M{25}.{w6}.{w38}
DISCORD_HOOK https://discord.com/api/webhooks/{d18}/{w68}
TELEGRAM {d10}:AA{w33}
TELEGRAM_URL https://api.telegram.org/bot{d10}:AA{w33}/sendMessage
TEAMS https://acme.webhook.office.com/webhookb2/{h8}-{h4}-{h4}-{h4}-{h12}@{h8}/IncomingWebhook/{h32}/{h8}
ZAPIER https://hooks.zapier.com/hooks/catch/{d7}/{a7}/
IFTTT https://maker.ifttt.com/trigger/deploy/with/key/{w22}
POWER_AUTOMATE https://prod-01.westeurope.logic.azure.com/workflows/{h32}/triggers/manual/paths/invoke?api-version=1&sig={w43}
CHAT https://chat.googleapis.com/v1/spaces/AAAA/messages?key={w40}&token={w43}
AZURE_APP {w3}8Q~{w34}
AZURE_STORAGE DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={86}==;EndpointSuffix=core.windows.net
SERVICE_BUS Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={43}=
BLOB_SAS https://acme.blob.core.windows.net/c?sv=2024-11-04&sp=r&sig={43}%3D
S3_LINK https://acme.s3.amazonaws.com/k?X-Amz-Credential=x&X-Amz-Signature={h64}
DATABASE_URL postgresql://app:{20}@db.internal:5432/app
DATABASE_LOCAL postgres://postgres:postgres@localhost/app
REDIS_URL rediss://:{32}@cache.example:6380
REDIS redis://default:{32}@redis-1.example:1234
MONGO mongodb+srv://app:{16}@cluster0.mongodb.net/app
AMQP amqps://user:{16}@rabbit.example/vhost
MYSQL app:{16}@tcp(127.0.0.1:3306)/app?parseTime=true
CLICKHOUSE clickhouse://default:{16}@ch.example:9440/db?secure=true
SMTP smtp://mailer%40acme.example:{16}@smtp.example:587
PROXY http://proxyuser:{12}@proxy.example:3128
PROXY_BARE proxyuser:{12}@proxy.example:3128
SQLSERVER Server=tcp:db.example,1433;Database=app;User ID=sa;Password={16};Encrypt=True
ODBC Driver={ODBC Driver 18};Server=db;Uid=sa;Pwd={16}
JDBC jdbc:postgresql://db.example/app?user=app&password={16}
JDBC_ORACLE jdbc:oracle:thin:scott/{12}@db.example:1521/orcl
LIBPQ host=db.example user=app password={16} dbname=app
KAFKA_JAAS org.apache.kafka.common.security.plain.PlainLoginModule required username="app" password="{16}";
NPMRC //registry.example/:_authToken={36}
JAVA_OPTS -Djavax.net.ssl.keyStorePassword={12}
PIP_INDEX_URL https://__token__:{20}@pypi.example/simple
GOPROXY_URL https://{20}@proxy.example
BROKERS amqp://one.example,amqp://user:{12}@two.example
CERT -----BEGIN RSA PRIVATE KEY-----\n{w64}\n-----END RSA PRIVATE KEY-----
PEM_EC -----BEGIN EC PRIVATE KEY-----\n{w64}\n-----END EC PRIVATE KEY-----
DEPLOY -----BEGIN OPENSSH PRIVATE KEY-----\n{w64}\n-----END OPENSSH PRIVATE KEY-----
PGP -----BEGIN PGP PRIVATE KEY BLOCK-----\n{w64}
TLS_BASE64 LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo{60}
SERVICE_ACCOUNT {"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\\n{w64}"}
SESSION eyJ{20}.eyJ{80}.{w43}
HTTP_HEADER Authorization: Basic {24}==
ADMIN_HASH $2b$12$K{52}
USERS $argon2id$v=19$m=65536,t=3,p=4$K{21}$K{42}
APP_CONFIG {"openai":"sk-proj-{w60}","debug":false}
SLASH postgres://app:pa/{12}@db.example/app
QUESTION redis://:{6}?{6}#x@cache.example
HOSTS mongodb://app:{16}@one.example:27017,two.example:27017/app
MAILER sendgrid://{40}@default
CLOUDINARY cloudinary://{d15}:{w27}@acme
CURL -H "Authorization: Bearer {40}"
DOCKER_AUTH {"auths":{"ghcr.io":{"auth":"{40}="}}}
PULL_CONFIG {"username":"acme","password":"{12}"}
KUBE apiVersion: v1\nusers:\n- name: ci\n  user:\n    token: {40}
SECRETS_ENV REGION=eu\nAPI_KEY={32}\nDEBUG=1
BACKUP access_key_id = x\nsecret_access_key = {40}
GCP_BASE64 eyJ0eXBlIjoic2VydmljZV9hY2NvdW50Iiw{200}
NETRC machine api.example login ci password {16}
WEBHOOK_RELAY https://relay.example/in?token={24}
MAPS https://maps.googleapis.com/maps/api/js?key=AIza{w35}
FUNCTION https://acme.azurewebsites.net/api/run?code={54}==
`;

const BY_NAME = String.raw`
AWS_SECRET_ACCESS_KEY {40}
AWS_SESSION_TOKEN {200}
TWILIO_AUTH_TOKEN {h32}
DATADOG_API_KEY {h32}
DD_APP_KEY {h40}
NEW_RELIC_LICENSE_KEY {h36}NRAL
CLOUDFLARE_API_TOKEN {w40}
MISTRAL_API_KEY {32}
COHERE_API_KEY {40}
TOGETHER_API_KEY {h64}
AZURE_OPENAI_API_KEY {h32}
QDRANT_API_KEY {w40}
ALGOLIA_ADMIN_KEY {h32}
MEILI_MASTER_KEY {w43}
VERCEL_TOKEN {24}
CONTENTFUL_MANAGEMENT_TOKEN {w43}
PAYPAL_CLIENT_SECRET {w80}
GITHUB_CLIENT_SECRET {h40}
DISCORD_CLIENT_SECRET {w32}
GITHUB_WEBHOOK_SECRET {h40}
NEXTAUTH_SECRET {43}=
AUTH_SECRET {43}=
BETTER_AUTH_SECRET {32}
JWT_SECRET {48}
SECRET_KEY_BASE {h128}
SECRET_KEY django-insecure-{w50}
DJANGO_SECRET_KEY {w50}
APP_KEY base64:{43}=
RAILS_MASTER_KEY {h32}
ENCRYPTION_KEY {h64}
FERNET_KEY {w43}=
HMAC {h64}
COOKIE_PASSWORD {32}
SESSION_COOKIE {w40}
PASSWORD_SALT {h16}
DB_PASSWORD hunter22
POSTGRES_PASSWORD postgres
MYSQL_ROOT_PASSWORD root
PGPASSWORD {16}
REDIS_PASS {16}
SMTP_PASS {16}
MAIL_PASSWD {16}
SUDO_PWD {10}
DB_PASSPHRASE correct-horse-battery-staple
GPG_PASSPHRASE {20}
KEYSTORE_PASSWORD changeit
ADMIN_PASSCODE {d8}
CARD_PIN {d4}
WALLET_MNEMONIC legal winner thank year wave sausage worth useful legal winner thank yellow
DEPLOYER_PRIVATE_KEY 0x{h64}
SIGNING_KEY {h64}
VAPID_PRIVATE_KEY {w43}
VAULT_SECRET_ID {h8}-{h4}-{h4}-{h4}-{h12}
CONSUL_HTTP_TOKEN {h8}-{h4}-{h4}-{h4}-{h12}
PAGERDUTY_TOKEN {w20}
ROLLBAR_ACCESS_TOKEN {h32}
CODECOV_TOKEN {h8}-{h4}-{h4}-{h4}-{h12}
SNYK_TOKEN {h8}-{h4}-{h4}-{h4}-{h12}
TURBO_TOKEN {24}
OPENAI_APIKEY {40}
githubToken {40}
BASIC_AUTH admin:{12}
API_CREDENTIALS {24}
AZURE_PAT {a52}
REQUEST_SIGNATURE {h64}
TOTP_OTP {B16}
`;

const PLAIN = String.raw`
NODE_ENV production
APP_ENV staging
ENVIRONMENT development
RAILS_ENV test
LOG_LEVEL debug
RUST_LOG info,tower_http=debug
DEBUG app:*
DEBUG_COLORS true
VERBOSE 0
PORT 3000
HTTP_PORT 8080
DB_PORT 5432
HOST 0.0.0.0
HOSTNAME web-1
BIND 127.0.0.1:8080
LISTEN [::]:443
DB_HOST localhost
DB_HOST_REPLICA db-replica.internal.example
DB_NAME app
DB_USER app
DB_SCHEMA public
DB_SSLMODE verify-full
DB_POOL 10
PGDATABASE app
PGUSER postgres
POSTGRES_DB app
MYSQL_DATABASE app
REDIS_HOST redis
REDIS_DB 0
REDIS_URL redis://localhost:6379
DATABASE_URL sqlite:///var/lib/app/app.db
DATABASE_FILE file:./dev.db
MONGO_URL mongodb://localhost:27017/app
AMQP_URL amqp://localhost
KAFKA_BROKERS kafka-1.example:9092,kafka-2.example:9092
ELASTICSEARCH http://elastic:9200
APP_URL http://localhost:3000
BASE_URL https://app.example.com
API_URL https://api.example.com/v1
API_ENDPOINT api.example.com
NEXT_PUBLIC_API_URL https://api.example.com
NEXTAUTH_URL http://localhost:3000
AUTH_URL https://login.example.com/oauth2/authorize
TOKEN_URL https://login.example.com/oauth2/token
CALLBACK_URL https://app.example.com/callback?code=ok
ISSUER https://login.example.com/
AUTH0_DOMAIN acme.eu.auth0.com
AUTH0_AUDIENCE https://api.example.com
OIDC_CLIENT_ID {h8}-{h4}-{h4}-{h4}-{h12}
GOOGLE_CLIENT_ID {d12}-{a32}.apps.googleusercontent.com
GITHUB_CLIENT_ID Iv1.{h16}
GITHUB_APP_ID 123456
AZURE_TENANT_ID {h8}-{h4}-{h4}-{h4}-{h12}
AZURE_SUBSCRIPTION_ID {h8}-{h4}-{h4}-{h4}-{h12}
AWS_REGION eu-central-1
AWS_DEFAULT_REGION us-east-1
AWS_ACCOUNT_ID 123456789012
AWS_PROFILE dev
AWS_ROLE_ARN arn:aws:iam::123456789012:role/deploy
S3_BUCKET acme-uploads
S3_ENDPOINT https://s3.eu-central-1.amazonaws.com
S3_FORCE_PATH_STYLE true
SQS_QUEUE https://sqs.eu-central-1.amazonaws.com/123456789012/jobs
SNS_TOPIC arn:aws:sns:eu-central-1:123456789012:alerts
KMS arn:aws:kms:eu-central-1:123456789012:alias/app
GCP_PROJECT acme-prod-123456
GOOGLE_CLOUD_PROJECT acme-prod
GOOGLE_APPLICATION_CREDENTIALS_PATH /etc/gcp/account.json
PUBSUB projects/acme/topics/jobs
CLOUD_SQL acme:europe-west1:db
GIT_COMMIT {h40}
COMMIT_SHA {h40}
SOURCE_VERSION {h7}
GIT_SHA256 {h64}
GITHUB_SHA {h40}
IMAGE ghcr.io/acme/app:1.4.2
IMAGE_DIGEST sha256:{h64}
IMAGE_PINNED nginx:1.27@sha256:{h64}
BUILD_ID {h8}-{h4}-{h4}-{h4}-{h12}
DEPLOYMENT dpl_{28}
RELEASE app@1.2.3+{h8}
VERSION 1.2.3
INTEGRITY sha512-{86}==
CHECKSUM {h32}
ETAG "{h32}"
UUID {h8}-{h4}-{h4}-{h4}-{h12}
ULID 01ARZ3NDEKTSV4RRFFQ69G5FAV
NANOID V1StGXR8_Z5jdHi6B-myT
STRIPE_PRICE price_1N{22}
STRIPE_PRODUCT prod_{14}
STRIPE_ACCOUNT acct_1{15}
STRIPE_CUSTOMER cus_{14}
STRIPE_PUBLISHABLE_KEY pk_live_{24}
STRIPE_PUBLISHABLE pk_test_{24}
NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY pk_test_{40}
NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY pk_test_{40}
CLERK_FRONTEND pk_live_{40}
NEXT_PUBLIC_SUPABASE_URL https://{a20}.supabase.co
NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY sb_publishable_{w31}
SUPABASE_BROWSER sb_publishable_{w31}
POSTHOG phc_{43}
NEXT_PUBLIC_POSTHOG_HOST https://eu.i.posthog.com
MAPBOX pk.eyJ{60}.{w22}
GA_MEASUREMENT_ID G-{A10}
GTM GTM-{A7}
ADSENSE ca-pub-{d16}
PIXEL {d15}
RECAPTCHA_SITE 6L{w38}
TURNSTILE_SITE 0x4AAAAAAA{12}
VAPID_PUBLIC_KEY B{w86}
SSH_PUBLIC_KEY ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{43} deploy@acme
JWT_PUBLIC_KEY -----BEGIN PUBLIC KEY-----\n{64}\n-----END PUBLIC KEY-----
CA_CERT -----BEGIN CERTIFICATE-----\n{64}\n-----END CERTIFICATE-----
TWILIO_ACCOUNT_SID AC{h32}
TWILIO_FROM +15005550006
SENTRY_ORG acme
SENTRY_PROJECT web
SENTRY_TRACES_SAMPLE_RATE 0.2
SENTRY_ENVIRONMENT production
DD_SITE datadoghq.eu
DD_SERVICE web
OTEL_EXPORTER_OTLP_ENDPOINT http://otel:4318
OTEL_SERVICE_NAME web
OTEL_RESOURCE_ATTRIBUTES service.version=1.2,deployment.environment=prod
MAIL_FROM "Acme" <no-reply@acme.example>
SMTP_HOST smtp.example.com
SMTP_PORT 587
SMTP_USER apikey
SUPPORT_EMAIL support@acme.example
ADMIN_EMAILS a@acme.example,b@acme.example
CONTACT mailto:security@acme.example
GIT_REMOTE git@github.com:acme/app.git
GIT_SSH ssh://git@github.com/acme/app.git
GIT_HTTPS https://github.com/acme/app.git
SFTP sftp://deploy@files.example/in
NPM_REGISTRY https://registry.example/
PACKAGE npm:lodash@4.17.21
PURL pkg:npm/lodash@4.17.21
MODEL gpt-4.1-mini
OPENAI_MODEL gpt-4o
ANTHROPIC_MODEL claude-sonnet-4-20250514
OPENAI_ORG org-{24}
OPENAI_PROJECT proj_{24}
EMBEDDING_MODEL sentence-transformers/all-MiniLM-L6-v2
MAX_TOKENS 4096
LLM_MAX_TOKENS 1024
TOKENIZERS_PARALLELISM false
TEMPERATURE 0.7
TOKEN_TTL 3600
JWT_EXPIRES_IN 15m
JWT_ALGORITHM RS256
SESSION_TIMEOUT 30m
COOKIE_DOMAIN .example.com
COOKIE_SECURE true
PASSWORD_MIN_LENGTH 12
PASSWORD_HASH_ROUNDS 12
KEY_PREFIX app:
CACHE_KEY_PREFIX v2
AUTH_ENABLED true
AUTH_PROVIDER google
SECRET_NAME acme/prod/app
TLS_KEY_FILE /etc/tls/tls.key
TLS_CERT /etc/tls/tls.crt
DB_PASSWORD_FILE /run/secrets/db
SSH_AUTH_SOCK /run/user/1000/agent.sock
S3_KEY_PREFIX uploads/
SORT_ORDER created_at
PRIMARY_COLUMN id
KEYBOARD us
KEYCLOAK_REALM acme
AUTHOR Jane Doe
AUTHORS_FILE AUTHORS
MONKEY yes
COMPATIBLE 1
PATTERN ^v[0-9]+$
PASSENGER_COUNT 4
BYPASS_CACHE false
COMPASS north
PATH /usr/local/bin:/usr/bin:/bin
HOME /home/app
SHELL /bin/bash
LANG en_US.UTF-8
LC_ALL C
TZ Europe/Berlin
TERM xterm-256color
EDITOR vim
XDG_RUNTIME_DIR /run/user/1000
DBUS_SESSION_BUS_ADDRESS unix:path=/run/user/1000/bus
LS_COLORS rs=0:di=01;34:ln=01;36:*.tar=01;31
PYTHONPATH src
NODE_OPTIONS --max-old-space-size=4096 --enable-source-maps
JAVA_HEAP -Xmx2g -XX:+UseG1GC
MAKEFLAGS -j8
CFLAGS -O2 -fstack-protector-strong
DOCKER_HOST unix:///var/run/docker.sock
KUBE_NAMESPACE prod
KUBE_CONTEXT arn:aws:eks:eu-central-1:123456789012:cluster/prod
FEATURE_FLAGS new-checkout,dark-mode
FEATURE_TOKENIZED_CARDS true
ALLOWED_ORIGINS https://app.example.com,https://admin.example.com
CORS *
TRUSTED_PROXIES 10.0.0.0/8,172.16.0.0/12
NO_PROXY localhost,127.0.0.1,.internal
HTTP_PROXY http://proxy.example:3128
CRON 0 3 * * 1-5
SCHEDULE rate(5 minutes)
CURRENCY EUR
LOCALE de-DE
TIMEOUT 30s
RETRIES 3
RATE_LIMIT 100/minute
MAX_UPLOAD 10485760
CONCURRENCY 4
WORKERS auto
THEME dark
BRAND Acme GmbH
GREETING Hello, world!
TEMPLATE Hi {name}, your order {id} has shipped
LOG_FORMAT %(asctime)s %(levelname)s %(message)s
JSON_FLAGS {"a":true,"b":[1,2,3]}
COORDINATES 52.5200,13.4050
COLOR #336699
CONTENT_POLICY default-src 'self'; img-src https:
WALLET 0x{h40}
CONTRACT_ADDRESS 0x{h40}
CHAIN_ID 1
RPC https://rpc.example.org
DISCORD_CHANNEL {d18}
DISCORD_CLIENT {d18}
TELEGRAM_CHAT -100{d10}
SLACK_CHANNEL C{A10}
SLACK_TEAM T{A10}
NOTION_DATABASE {h32}
AIRTABLE_BASE app{14}
AIRTABLE_TABLE tbl{14}
LINEAR_TEAM ENG
JIRA_PROJECT APP
FIGMA_FILE {22}
SEGMENT_WRITE {32}
ALGOLIA_APP_ID {A10}
CLOUDFLARE_ACCOUNT_ID {h32}
CLOUDFLARE_ZONE_ID {h32}
VERCEL_ORG_ID team_{24}
VERCEL_PROJECT_ID prj_{28}
NETLIFY_SITE_ID {h8}-{h4}-{h4}-{h4}-{h12}
PULUMI_STACK acme/app/dev
TF_WORKSPACE prod
VAULT_ADDR https://vault.example:8200
VAULT_ROLE_ID {h8}-{h4}-{h4}-{h4}-{h12}
CONSUL consul.example:8500
SPACE_ID {a12}
SK sk
PKG sk-learn-model-production-v2
SLUG skip-intro-for-returning-visitors
TASK task-sk-review
SCP deploy@files.example:/srv/in
FONTS https://fonts.googleapis.com/css2?family=Inter:wght@400;700&display=swap
VITE_CLIENT http://localhost:5173/@vite/client
CDN https://cdn.example:8443/pkg@1.2.3/dist/app.js
SQLITE sqlite:////data/app.db?mode=rwc
SOCKET postgresql:///app?host=/var/run/postgresql
CSP_REPORT https://o1.ingest.sentry.io/api/1/security/?sentry_key={h32}
PASSWORD_HINT Password: at least 12 characters
SIGN_IN_TITLE Enter your password
TIMESPAN 08:00-18:00
RANGE 10:20
RATIO 16:9
BUILD_ARGS --build-arg VERSION=1.2 --target=prod
QUERY sort=name&page=2
COOKIE_SAMESITE lax
LABELS team=core,tier=web
`;

const ALPHABETS: Readonly<Record<string, string>> = {
  "": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  h: "0123456789abcdef",
  d: "123456789",
  A: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
  B: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
  a: "abcdefghijklmnopqrstuvwxyz0123456789",
  l: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
  w: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
};

function createText(alphabet: string, length: number, seed: string): string {
  let text = "";
  for (let block = 0; text.length < length; block += 1) {
    for (const byte of createHash("sha512").update(`${seed} ${block}`).digest())
      text += alphabet[byte % alphabet.length];
  }
  return text.slice(0, length);
}

function rowsOf(text: string, answer: Answer): readonly Row[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [, name = "", form = ""] = /^(\S+) (.*)$/.exec(line) ?? [];
      const random: string[] = [];
      const value = form
        .replaceAll(/\{([hdABalw]?)(\d+)\}/g, (_, kind: string, length: string, at: number) => {
          const part = createText(ALPHABETS[kind] ?? "", Number(length), `${line} ${at}`);
          random.push(part);
          return part;
        })
        .replaceAll(/(?<!\\)\\n/g, "\n");
      return { name, value, answer, random };
    });
}

/** A text that begins like a credential. No file of this repository contains such a text literally. */
export const FAKE_TOKEN = ["gh", "p_", createText(ALPHABETS[""] ?? "", 36, "a token")].join("");

export const CORPUS: readonly Row[] = [
  ...rowsOf(BY_VALUE, "value"),
  ...rowsOf(BY_NAME, "name"),
  ...rowsOf(PLAIN, "plain"),
];
