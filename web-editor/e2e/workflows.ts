/** Workflows and stacks that the journeys begin with. Their texts are full of markup, which has to stay text. */

/** Fails at its third node until the service answers well. */
export const delivery = (address: string) => `windflow: 1
name: delivery
description: Hands orders over to <b>a carrier</b>.
permissions: { http: ["127.0.0.1:*"] }
nodes:
  orders: { uses: transform@1, with: { input: [3, 4], jq: '[.[] | { id: ., note: "<img src=x onerror=alert(1)>" }]' } }
  labels: { uses: template@1, for_each: "\${{ nodes.orders.output }}", with: { template: "Parcel {{ id }}", values: "\${{ item }}" } }
  hand_over:
    uses: http@1
    with: { method: POST, url: "${address}/parcels", json: "\${{ nodes.labels.output }}" }
    retry: { attempts: 2, backoff: fixed, initial: 50ms }
  receipt: { uses: template@1, needs: [hand_over], with: { template: "done", values: {} } }
outputs: { receipt: "\${{ nodes.receipt.output }}" }
`

/** Asks a person, then waits for another system. */
export const release = `windflow: 1
name: release
nodes:
  ask:
    uses: approval@1
    timeout: 1h
    with:
      message: "Bring out 2.4.0? <script>alert(1)</script>"
      form:
        type: object
        required: [window]
        properties:
          window: { type: string, title: Window, enum: [now, tonight] }
          replicas: { type: integer, title: Replicas, minimum: 1, maximum: 20, default: 3 }
  carrier:
    uses: callback@1
    needs: [ask.approved]
    timeout: 1h
    with: { message: The carrier reports the parcel, schema: { type: object, required: [parcel], properties: { parcel: { type: string } } } }
outputs: { window: "\${{ nodes.ask.output.data.window }}", replicas: "\${{ nodes.ask.output.data.replicas }}", parcel: "\${{ nodes.carrier.output.parcel }}" }
`

/** Runs until somebody cancels it. */
export const sleeper = `windflow: 1
name: sleeper
triggers:
  nightly: { uses: cron, with: { schedule: "30 2 * * *", timezone: Europe/Paris } }
  hook: { uses: webhook, with: { path: sleeper, auth: none } }
nodes:
  rest: { uses: wait@1, with: { for: 1h } }
`

/** Four services that wait for each other, with a risk and variables of several types. */
export const shop = `name: shop
x-windflow:
  variables:
    WEB_PORT: { type: port, default: 8080, description: Where the shop is reached }
    DOMAIN: { type: domain }
    SIZE: { type: choice, choices: [small, large], default: small }
    DEBUG: { type: bool, default: false }
    DB_PASSWORD: { type: password, description: "<i>Kept secret</i>" }
services:
  proxy:
    image: nginx:1.28
    ports: ["\${WEB_PORT}:80"]
    depends_on: { web: { condition: service_healthy } }
    volumes: ["/etc/ssl:/etc/ssl:ro"]
  web:
    image: registry.example.org/team/shop-with-a-rather-long-name:2.4.0
    environment: { HOST: "\${DOMAIN}", SIZE: "\${SIZE}", DEBUG: "\${DEBUG}" }
    depends_on: { db: { condition: service_healthy }, migrate: { condition: service_completed_successfully } }
    healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1/" }
  migrate: { image: "registry.example.org/team/shop:2.4.0", command: migrate, depends_on: { db: { condition: service_healthy } } }
  db:
    image: postgres:17.6
    environment: { POSTGRES_PASSWORD: "\${DB_PASSWORD}" }
    healthcheck: { test: pg_isready }
    volumes: ["data:/var/lib/postgresql/data"]
volumes: { data: {} }
`
