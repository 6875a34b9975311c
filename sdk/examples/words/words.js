// The node type `words`, in JavaScript.
import { log } from "windflow:node/log@1.0.0";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function execute(nodeType, config) {
  const { text } = JSON.parse(decoder.decode(config));
  if (typeof text !== "string" || text.trim() === "") {
    throw { code: "no_text", message: "`text` is empty: write what is to be counted", retry: { tag: "never" }, details: undefined };
  }
  const words = text.trim().split(/\s+/u);
  log("info", `${words.length} words`);
  return { port: "out", value: encoder.encode(JSON.stringify({ words: words.length, longest: words.reduce((a, b) => (b.length > a.length ? b : a)) })) };
}
