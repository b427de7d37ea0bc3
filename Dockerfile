# The image of the app. Every line below is one entry of its history; only COPY and WORKDIR add files.
# Another base: docker build --build-arg BASE=…
ARG BASE=node:24-alpine
FROM ${BASE}
WORKDIR /app
COPY app/app.js ./
# The base's user "node", by number: Kubernetes' runAsNonRoot cannot judge a name.
USER 1000
EXPOSE 8080
# Exec form: Node itself is process 1 and gets SIGTERM, no shell in between.
ENTRYPOINT ["node", "app.js"]
