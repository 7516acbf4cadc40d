# ticketbot in a container: one run, then it ends. What schedules it is in docs/scheduling.md. Scheduler and workers of a
# cluster are the same image with other words.
#
#   docker build --tag ticketbot:0.1.0 .
#   docker run --rm --read-only --tmpfs /tmp --env-file .env --volume ticketbot-data:/var/lib/ticketbot \
#     --volume "$PWD/ticketbot.toml:/etc/ticketbot/ticketbot.toml:ro" ticketbot:0.1.0 run --since now
#
# Debian, not Alpine: some of the libraries have no wheels for its C library. The version is pinned; to pin every byte of
# it, look the digest up (docker buildx imagetools inspect python:3.11.14-slim-bookworm) and add it as @sha256:... here.
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS build
# Of setup.cfg, with commas between: --build-arg EXTRAS=ops,cluster,ml; none at all: --build-arg EXTRAS=
ARG EXTRAS="ops,cluster"
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY setup.cfg pyproject.toml constraints.txt README.md LICENSE ./
COPY ticket_processor ticket_processor
# Wheels only: nothing of a library runs while it is installed. Without pip, there is less to misuse.
RUN python -m venv --without-pip /opt/ticketbot \
    && pip --python /opt/ticketbot/bin/python install --only-binary :all: --constraint constraints.txt ".${EXTRAS:+[$EXTRAS]}"

FROM ${BASE}
# By number, so that Kubernetes can tell that it is not root. The folder's owner becomes a new volume's.
RUN groupadd --gid 10001 ticketbot \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/ticketbot --shell /usr/sbin/nologin ticketbot \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/ticketbot
COPY --from=build /opt/ticketbot /opt/ticketbot
# All that is ever written is below /var/lib/ticketbot, so the rest may be read-only. It is declared as no volume: one
# that nobody named would be lost with the container, while without any the run says that it cannot write.
ENV PATH=/opt/ticketbot/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    TICKETBOT_STATE_DIR=/var/lib/ticketbot/state \
    TICKETBOT_LOG_DIR=/var/lib/ticketbot/logs
# ticketbot.toml and .env are looked for here.
WORKDIR /etc/ticketbot
USER 10001:10001
# No health check: a run's exit code is the answer, and Kubernetes asks schedulers and workers itself.
ENTRYPOINT ["ticketbot"]
CMD ["run", "--quiet"]
