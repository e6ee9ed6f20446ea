# syntax=docker/dockerfile:1
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package*.json sophia-run-*.tgz ./
RUN npm ci
# The executable of sophia-run for Linux, which needs no Node.js. A package that was packed without it is started by Node.js.
RUN cp "node_modules/sophia-run/dist/sophia-run-linux-$(node -p process.arch)" /usr/local/bin/sophia-run || \
    { printf '#!/usr/local/bin/node --\nrequire("/app/node_modules/sophia-run/bin/sophia-run.cjs");\n' > /usr/local/bin/sophia-run && \
    chmod 755 /usr/local/bin/sophia-run; }
COPY . .

# The name of the ESC environment is not secret. The token is a file that only this step has: it is in no layer, and not
# in the output of `docker history`.
ARG ESC_ENV
RUN --mount=type=secret,id=esc_token,required=true \
    ESC_TOKEN_FILE=/run/secrets/esc_token sophia-run --require-esc -- node build.js

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=build /usr/local/bin/sophia-run /usr/local/bin/sophia-run
COPY package*.json sophia-run-*.tgz ./
RUN npm ci --omit=dev
COPY --from=build /app/server.js /app/healthcheck.js /app/sophia.contract.json ./
COPY --from=build /app/dist ./dist
USER node
# sophia-run stays PID 1: it ends a program that has no handler for SIGTERM, passes signals on and reaps orphans.
ENV SOPHIA_MODE=spawn
HEALTHCHECK --start-period=10s CMD ["node", "healthcheck.js"]
ENTRYPOINT ["/usr/local/bin/sophia-run", "--"]
CMD ["node", "server.js"]
