/** What a new stack begins with: small, and it runs as it is. */
export const starter = (name: string) => `name: ${name}
x-windflow:
  variables:
    WEB_PORT: { type: port, default: 8080, description: Where the site is reached }
services:
  web:
    image: nginx:1.29-alpine
    ports: ["\${WEB_PORT}:80"]
    healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1/", interval: 5s, timeout: 3s, retries: 5 }
    restart: unless-stopped
`

export const isStackName = (name: string): boolean => /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)
