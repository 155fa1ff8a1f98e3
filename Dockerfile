# OpenSearch with Korean and Japanese analysis.
FROM opensearchproject/opensearch:3.8.0 AS search
RUN bin/opensearch-plugin install --batch analysis-nori analysis-kuromoji

# The one binary. Every role is a subcommand of it.
FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake libssl-dev pkg-config zlib1g-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p jumun --features msk-iam

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl libssl3 zlib1g && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home jumun
COPY --from=build /src/target/release/jumun /usr/local/bin/jumun
USER jumun
ENTRYPOINT ["jumun"]
