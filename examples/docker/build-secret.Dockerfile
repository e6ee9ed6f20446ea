# syntax=docker/dockerfile:1
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package*.json sophia-run-*.tgz ./
RUN npm ci
ENV PATH=/app/node_modules/.bin:$PATH
COPY . .

# The name of the ESC environment is not secret. The token is a file that only this step has: it is in no layer, and not
# in the output of `docker history`.
ARG ESC_ENV
RUN --mount=type=secret,id=esc_token,required=true \
    ESC_TOKEN_FILE=/run/secrets/esc_token sophia-run --require-esc -- node build.js

FROM node:24-bookworm-slim
WORKDIR /app
COPY package*.json sophia-run-*.tgz ./
RUN npm ci --omit=dev
ENV PATH=/app/node_modules/.bin:$PATH
COPY --from=build /app/server.js /app/healthcheck.js ./
COPY --from=build /app/dist ./dist
USER node
HEALTHCHECK --start-period=10s CMD ["node", "healthcheck.js"]
ENTRYPOINT ["sophia-run", "--"]
CMD ["node", "server.js"]
